/** What a failed solve means, in the terms of the user or of the one who runs the platform. */
import { type ErrorInfo, LaminaError } from "@lamina/api";
import {
  type Digest,
  endedShell,
  failedCommand,
  failedSearch,
  imagesCopiedFrom,
  instructionAt,
  type NamedInstruction,
  type ResolvedStep,
} from "@lamina/ir";
import { isRegistryError } from "@lamina/registry";
import { SolveError } from "../buildkit/buildkit.ts";
import {
  collisionIn,
  exitCodeIn,
  isFailedPush,
  isFailedSource,
  isMissingSource,
  isMissingUser,
  isRefusedSource,
  missingFileIn,
  missingShellIn,
  sourceCause,
  withoutScript,
} from "../buildkit/messages.ts";
import { UnstagedTreeError } from "../contexts/prepare.ts";
import type { FailedStep } from "./layer-progress.ts";
import { methodCall } from "./method-call.ts";

export interface FailureContext {
  readonly failed: FailedStep | undefined;
  /** The layer of a place in the segment. */
  readonly layer: (place: number) => { readonly id: string; readonly operation: ResolvedStep | undefined };
  /** The place of the layer that a line of the Dockerfile is of. */
  readonly placeOfLine: (line: number) => number | undefined;
  /** How many there are. */
  readonly layers: number;
  readonly lastLines: (place: number) => readonly string[];
  /** Takes secrets out of a text. */
  readonly redact: (text: string) => string;
}

/** The error with which an attempt ends. */
export function failureOf(error: unknown, context: FailureContext): ErrorInfo {
  return redacted(withFullDisk(describe(error, context)), context.redact);
}

/** Whichever disk it is, of a builder, of BuildKit or behind the registry: it says so in these words. */
function withFullDisk(info: ErrorInfo): ErrorInfo {
  const isFull = [info.message, ...(info.lastLines ?? [])].some((text) => /no space left on device/i.test(text));
  if (!isFull || info.reason !== undefined) return info;
  // What a command of a step says may be of a limit of its own.
  const advice = info.code === "STEP_FAILED" ? "" : ". Make room on that disk; `lamina doctor` says how much there is.";
  return { ...info, message: `${advice === "" ? info.message : info.message.replace(/\.$/, "")}${advice}`, reason: "full-disk" };
}

function describe(error: unknown, context: FailureContext): ErrorInfo {
  if (error instanceof UnstagedTreeError) return { ...describe(error.cause, context), ...layerWith(error.tree, context) };
  if (error instanceof LaminaError) return error.info;
  if (isRegistryError(error)) return { code: "REGISTRY_UNAVAILABLE", message: `The registry failed: ${error.message}` };
  if (error instanceof SolveError)
    return solveFailure({ kind: error.kind, line: error.line, message: context.redact(error.message) }, context);
  const message = error instanceof Error ? error.message : String(error);
  return { code: "BUILD_FAILED", message: `The builder failed: ${message}` };
}

/** The layer whose local files these are, so that its place in the user's file can be told. */
function layerWith(tree: Digest, { layers, layer }: FailureContext): { readonly layer?: string } {
  const ids = Array.from({ length: layers }, (_, place) => layer(place)).flatMap(({ id, operation }) =>
    operation !== undefined && "tree" in operation && operation.tree === tree ? [id] : [],
  );
  return ids[0] === undefined ? {} : { layer: ids[0] };
}

function solveFailure(error: Pick<SolveError, "kind" | "line" | "message">, context: FailureContext): ErrorInfo {
  if (error.kind === "lost") {
    const message = `The connection to BuildKit was lost twice (${oneLine(error.message)}). See its log, and whether it had enough memory and disk.`;
    return { code: "BUILD_FAILED", message };
  }
  const { failed } = context;
  if (failed !== undefined) {
    const step = stepFailure(failed, context);
    if (step !== undefined) return step;
  }
  if (isFailedPush(error.message)) {
    return {
      code: "REGISTRY_UNAVAILABLE",
      message: `The image could not be pushed: ${oneLine(error.message)}. Check that the registry runs and has disk.`,
    };
  }
  const copied = copiedImageFailure(error.message, context);
  if (copied !== undefined) return copied;
  if (isMissingSource(error.message)) {
    const message = `The image to start from is not in its registry any more (${oneLine(error.message)}). Build again: it is had anew.`;
    return { code: "PARENT_MISSING", message };
  }
  if (isRefusedSource(error.message)) {
    const message = `The registry does not let the image to start from be read (${oneLine(error.message)}). Check its credentials: those of a base are the secret of fromRegistry.`;
    return { code: "BASE_UNAUTHORIZED", message };
  }
  if (isFailedSource(error.message)) {
    const message = `The image to start from could not be had: ${oneLine(sourceCause(error.message))}. Check that its registry runs and that BuildKit reaches it.`;
    return { code: "REGISTRY_UNAVAILABLE", message };
  }
  // What BuildKit finds before it begins is of a line alone.
  const place = failed?.layer ?? (error.line === undefined ? undefined : context.placeOfLine(error.line));
  const layer = place === undefined ? {} : { layer: context.layer(place).id };
  return { code: "BUILD_FAILED", message: `BuildKit failed: ${oneLine(withoutScript(error.message))}`, ...layer };
}

/** An image that an instruction copies from could not be had; BuildKit asks for it as for one to start from. */
function copiedImageFailure(error: string, { layers, layer }: FailureContext): ErrorInfo | undefined {
  if (!isFailedSource(error) || isRefusedSource(error)) return undefined;
  for (let place = 0; place < layers; place++) {
    const { id, operation } = layer(place);
    const images = operation === undefined ? [] : imagesCopiedFrom(operation);
    // BuildKit writes the name out, with a host that was left out; the digest stays as it is.
    const image = images.find((name) => error.includes(name.slice(name.indexOf("@"))));
    if (image === undefined) continue;
    const what = `dockerfileCommands: the image ${image} that it copies from could not be had: ${oneLine(sourceCause(error))}.`;
    if (isMissingSource(error)) return { code: "BASE_NOT_FOUND", reason: "unknown-base", message: what, layer: id };
    return { code: "REGISTRY_UNAVAILABLE", message: `${what} Check that its registry runs and that BuildKit reaches it.`, layer: id };
  }
  return undefined;
}

const SHOWN_LINES = 20;

/** A step that the user asked for ended badly; undefined when that was not the user's doing. */
function stepFailure({ layer: place, step, error }: FailedStep, { layer, lastLines }: FailureContext): ErrorInfo | undefined {
  const { id, operation } = layer(place);
  const instruction = operation?.kind === "dockerfileCommands" ? instructionAt(operation.commands, step) : undefined;
  const kind =
    instruction === undefined ? (operation?.kind ?? "layer") : `dockerfileCommands: ${instruction.place}: ${instruction.keyword}`;
  const lines = lastLines(place);
  const collision = collisionIn(error);
  if (collision !== undefined) {
    const { path, there } = collision;
    const comes = there === "file" ? "directory" : "file";
    return {
      code: "STEP_FAILED",
      message: `${kind} failed: ${path} is a ${there} in the image, and a ${comes} cannot take its place.`,
      layer: id,
    };
  }
  const exitCode = exitCodeIn(error);
  if (exitCode === undefined) {
    const reason = instructionProblem(error, instruction);
    return reason === undefined ? undefined : { code: "STEP_FAILED", message: `${kind} failed: ${reason}.`, layer: id };
  }
  const shell = missingShellIn(lines);
  if (shell !== undefined) {
    const message = `${kind} failed: the image has no ${shell}, which it needs to run commands. Start from a base that has a shell.`;
    return { code: "STEP_FAILED", reason: "missing-shell", message, layer: id, exitCode };
  }
  const [kept, ...more] = failedSearch(lines);
  if (kept !== undefined) {
    const message = `${kind} failed: ${kept}.${more.length === 0 ? "" : " The last lines name what else was found."}`;
    return { code: "STEP_FAILED", message, layer: id, exitCode, lastLines: lines.slice(-SHOWN_LINES) };
  }
  const call = methodCall(operation);
  const command = instruction?.text ?? call ?? failedCommand(lines)?.command ?? onlyCommand(operation);
  const what = command === undefined ? "it" : `\`${oneLine(command)}\``;
  return {
    code: "STEP_FAILED",
    message: `${kind} failed: ${what} ${endedShell(lines) ? SKIPPING : `exited with ${exitCode}${MEANING[exitCode] ?? ""}`}.`,
    layer: id,
    ...(command === undefined ? {} : { command }),
    exitCode,
    lastLines: (call === undefined ? outputOf(lines) : outputOf(lines).filter((line) => !COMMAND.test(line))).slice(-SHOWN_LINES),
  };
}

/** What keeps an instruction from being begun, where that is its author's doing. */
function instructionProblem(error: string, instruction: NamedInstruction | undefined): string | undefined {
  if (isMissingUser(error)) return "its user is not one of the image: name one that is, or a number";
  if (instruction === undefined) return undefined;
  const file = missingFileIn(error);
  if (file !== undefined) return `there is no ${JSON.stringify(file)} to take`;
  return instruction.keyword === "ADD" ? `\`${oneLine(instruction.text)}\` could not be fetched: ${oneLine(error)}` : undefined;
}

const SKIPPING = "ended the shell, and the commands after it would be skipped: put it into ( … ), or at the end";
const MEANING: Readonly<Record<number, string>> = { 137: " (killed, most likely because memory ran out)" };

/** What the wrapper says before each command. */
const COMMAND = /^\[\d+\/\d+\] /;

/** The output without what the wrapper of the commands says at its end. */
function outputOf(lines: readonly string[]): readonly string[] {
  const end = lines.findLastIndex((line) => line.startsWith("lamina: command "));
  return end === -1 ? lines : lines.slice(0, end);
}

function onlyCommand(operation: ResolvedStep | undefined): string | undefined {
  return operation?.kind === "runCommands" && operation.commands.length === 1 ? operation.commands[0] : undefined;
}

const LONGEST_SUMMARY = 500;

/** What is too long is cut in the middle: an error ends with its cause. */
function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  if (line.length <= LONGEST_SUMMARY) return line;
  return `${line.slice(0, LONGEST_SUMMARY / 2)} … ${line.slice(-LONGEST_SUMMARY / 2)}`;
}

function redacted(info: ErrorInfo, redact: (text: string) => string): ErrorInfo {
  return {
    ...info,
    message: redact(info.message),
    ...(info.command === undefined ? {} : { command: redact(info.command) }),
    ...(info.lastLines === undefined ? {} : { lastLines: info.lastLines.map(redact) }),
  };
}
