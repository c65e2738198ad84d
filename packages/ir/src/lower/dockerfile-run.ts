/** RUN of `dockerfileCommands`. */
import { flagValues } from "../dockerfile/flag-rules.ts";
import { type Flag, writtenFlag } from "../dockerfile/flags.ts";
import { heredocWord } from "../dockerfile/heredoc.ts";
import { isPosixShell } from "../dockerfile/inherited.ts";
import { isFromContext, mountedSecret, mountOf, writtenMount } from "../dockerfile/mount.ts";
import type { Instruction } from "../dockerfile/read.ts";
import { delimiterFor, shellArgument } from "./quoting.ts";
import type { Surroundings } from "./request.ts";
import { deviceFlags, type Run, runInstruction } from "./run.ts";
import { inPosixShell } from "./shell.ts";

/** What is around one of the instructions of a step. */
export interface InstructionSurroundings extends Surroundings {
  readonly gpu: string | undefined;
  readonly secrets: readonly string[];
}

/**
 * A command runs in the script of `runCommands`, by the SHELL of the image. The list form runs as it is, so that it needs no
 * shell; with secrets it has to be searched after, and runs in a script too. So does a heredoc that begins with `#!`, as a file.
 * What a SHELL that is not POSIX runs is given to it as it is.
 */
export function lowerRun(instruction: Instruction, surroundings: InstructionSurroundings): readonly string[] {
  const { context, gpu, gpus, secrets, inherited } = surroundings;
  const flags = instruction.flags.map((flag) => writtenFlag(withContext(flag, context)));
  const hasSecretFiles = flagValues(instruction.flags, "mount").some((value) => mountedSecret(mountOf(value)) !== undefined);
  const run = { flags, hasSecretFiles, gpu, gpus, secrets: secrets.map((id) => ({ id, variable: id })) };
  const { json } = instruction;
  if (json !== undefined && secrets.length === 0) return [["RUN", ...deviceFlags(gpu, gpus), ...flags, JSON.stringify(json)].join(" ")];
  if (json !== undefined) return script({ ...run, commands: [json.map(shellArgument).join(" ")], shell: "sh" }, surroundings);
  const text = textOf(instruction);
  const interpreter = interpreterOf(text);
  if (interpreter !== undefined) return script({ ...run, commands: [text], shell: "sh", interpreter }, surroundings);
  if (isPosixShell(inherited.shell)) return [runInstruction({ ...run, commands: [text], shell: "image" })];
  const delimiter = delimiterFor(text, "LAMINA");
  return [[["RUN", ...deviceFlags(gpu, gpus), ...flags, `<<'${delimiter}'`].join(" "), text, delimiter].join("\n")];
}

function script(run: Run, { inherited }: InstructionSurroundings): readonly string[] {
  return inPosixShell(inherited.shell, [runInstruction(run)]);
}

/** What the shell gets. A heredoc alone is the text; among other words it is left to the shell. */
function textOf({ rest, heredocs }: Instruction): string {
  const [first] = heredocs;
  if (first !== undefined && heredocWord(rest) !== undefined) {
    const content = first.chomps ? first.content.replaceAll(/^\t+/gm, "") : first.content;
    return content.replace(/\n$/, "");
  }
  return [rest, ...heredocs.map(({ content, delimiter }) => `${content}${delimiter}`)].join("\n");
}

/** What runs a text that begins with `#!`: as for Linux, a program, and what follows it as one argument. */
function interpreterOf(text: string): string[] | undefined {
  const [, program, argument] = /^#![ \t]*([^ \t\r\n]+)[ \t]*([^\r\n]*)/.exec(text) ?? [];
  if (program === undefined) return undefined;
  const rest = argument?.trimEnd() ?? "";
  return rest === "" ? [program] : [program, rest];
}

function withContext(flag: Flag, context: string): Flag {
  if (flag.name !== "mount" || flag.value === undefined) return flag;
  const mount = mountOf(flag.value);
  if (!isFromContext(mount)) return { ...flag, value: writtenMount(mount) };
  const source = mount.options.get("source")?.replace(/^(\.?\/)+/, "") ?? "";
  const options = new Map<string, string | undefined>([
    ["from", context],
    ["source", `t/${source}`],
    ...[...mount.options].filter(([name]) => name !== "source"),
  ]);
  return { ...flag, value: writtenMount({ ...mount, options }) };
}
