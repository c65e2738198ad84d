/** The container of a shell: an image's, or one as those of a function are. */
import { LaminaError, type ShellRequest } from "@lamina/api";
import { formatReference } from "@lamina/registry";
import type { AttendedContainer, AttendedExit, Attendance, ContainerSpec } from "../engine/function-containers.ts";
import { startFailureOf } from "../engine/start-failure.ts";
import type { Gpus } from "../functions/gpus.ts";
import { furnish, type LaunchContext, trusting } from "../functions/launch.ts";
import { commandsOf } from "./commands.ts";

export interface ShellContext extends LaunchContext {
  readonly gpus: Gpus;
}

export interface ShellContainerOptions {
  readonly request: ShellRequest;
  readonly onOutput: Attendance["onOutput"];
  /** Says what is waited for. */
  readonly onPreparing: (what: string) => void;
  readonly onRunning: (container: AttendedContainer) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Runs the command of a shell to its end. Rejects with the signal's reason. @throws {LaminaError} */
export async function runShell(options: ShellContainerOptions, context: ShellContext): Promise<AttendedExit> {
  const { request, onOutput, onPreparing, signal } = options;
  const { of, command, terminal } = request;
  const { gpus, code } = context;
  using _code = of.kind === "function" ? code.hold(of.function.code) : undefined;
  onPreparing(`Fetching ${of.kind === "image" ? "the image" : `the image and the code of ${of.function.name}`}`);
  const wanted = of.kind === "function" ? of.function.gpus : 0;
  const furnished = await unlessAborted(furnishing(request, context), signal);
  const devices = await devicesFor(wanted, options, gpus);
  try {
    const spec = { ...furnished, devices, limits: of.kind === "function" ? of.function : undefined };
    const environment = { ...furnished.environment, ...(terminal !== undefined && { TERM: terminal.type }) };
    let missing: { readonly command: readonly string[]; readonly exit: AttendedExit } | undefined;
    for (const words of commandsOf(command, { hasTerminal: terminal !== undefined })) {
      const exit = await runOnce({ ...spec, environment, command: words }, options, context);
      if (exit.hasRun) return exit;
      missing = { command: words, exit };
      if (startFailureOf(exit.said, words[0] ?? "")?.exitCode !== 127) break;
    }
    return await notStarted(missing, { command, onOutput });
  } finally {
    gpus.giveBack(devices);
  }
}

async function furnishing(
  { of }: ShellRequest,
  context: LaunchContext,
): Promise<Pick<ContainerSpec, "image" | "environment" | "readOnly">> {
  if (of.kind === "function") return furnish(of.function, context);
  const { containers, registryHost, caBundle, signal } = context;
  const { repository, digest, host = registryHost } = of.image;
  return { ...trusting(caBundle), image: await containers.prepare(formatReference({ host, repository, digest }), signal) };
}

/** The fetching goes on for others who may want it. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function devicesFor(count: number, { onPreparing, signal }: ShellContainerOptions, gpus: Gpus): Promise<readonly string[]> {
  if (count > gpus.count) {
    const message = `The function takes ${count} GPUs, of which this runner has ${gpus.count}.`;
    throw new LaminaError({ code: "POOL_UNAVAILABLE", message });
  }
  const free = gpus.take(count);
  if (free !== undefined) return free;
  onPreparing(`Waiting for ${count === 1 ? "a GPU" : `${count} GPUs`}, which calls of functions have`);
  return gpus.wait(count, signal);
}

async function runOnce(
  spec: ContainerSpec,
  { request, onOutput, onRunning, signal }: ShellContainerOptions,
  { containers }: ShellContext,
): Promise<AttendedExit> {
  const place = await containers.place();
  let container: AttendedContainer;
  try {
    signal.throwIfAborted();
    container = await containers.startAttended(place, spec, { terminal: request.terminal, onOutput });
  } catch (error) {
    await place.discard();
    throw error;
  }
  const kill = (): void => container.kill();
  signal.addEventListener("abort", kill, { once: true });
  void container.running.then(() => {
    // One that was ended before it was there has not heard of it.
    if (signal.aborted) kill();
    else onRunning(container);
  });
  const exit = await container.exited;
  signal.removeEventListener("abort", kill);
  signal.throwIfAborted();
  return exit;
}

type Missing = { readonly command: readonly string[]; readonly exit: AttendedExit } | undefined;

/** What is told of a command that the image has not, as a shell would; all else is an error. */
async function notStarted(
  missing: Missing,
  { command, onOutput }: { readonly command: ShellRequest["command"]; readonly onOutput: Attendance["onOutput"] },
): Promise<AttendedExit> {
  if (missing === undefined) throw new TypeError("there is a command to run");
  const failure = startFailureOf(missing.exit.said, missing.command[0] ?? "");
  if (failure === undefined) {
    throw new LaminaError({ code: "RUN_FAILED", message: `The container cannot be started: ${missing.exit.said.trim()}` });
  }
  if (command.kind !== "program") {
    const message =
      "The image has no shell: neither bash nor sh is in its PATH. Name a program that it has: lamina shell IMAGE -- PROGRAM ARGUMENTS.";
    throw new LaminaError({ code: "SHELL_MISSING", message });
  }
  await onOutput("stderr", Buffer.from(`${failure.message}\n`));
  return { ...missing.exit, exitCode: failure.exitCode };
}
