/** Containers by containerd and runc, through `ctr`. */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { LaminaError } from "@lamina/api";
import { createCtr, type CtrOptions, type CtrResult } from "./ctr.ts";
import type { ContainerRun, Engine } from "./engine.ts";
import { openOutputPipes, type OutputPipes } from "./output-pipes.ts";
import { startFailureOf } from "./start-failure.ts";

export interface ContainerdOptions extends CtrOptions {
  /** A directory as `ctr image pull --hosts-dir` takes it. */
  readonly hosts: string;
  /** A directory for the pipes of running containers; it is emptied with the leftovers. */
  readonly pipes: string;
  /** Marks the containers of this process and of those that were in its place before. */
  readonly owner: string;
  /** Told, in a line, what could not be removed. It is tried again at the next start. */
  readonly onLeftover: (message: string) => void;
}

const OWNER_LABEL = "lamina.runner";
/** How long a command may take to end after SIGTERM. */
const GRACE_MS = 5_000;

export function containerdEngine(options: ContainerdOptions): Engine {
  const { address, hosts, pipes, owner, onLeftover } = options;
  const ctr = createCtr(options);

  async function pull(image: string, signal: AbortSignal): Promise<void> {
    const known = await list(["images", "list", "--quiet", `name==${image}`]);
    if (known.includes(image)) return;
    const { exitCode, complaint } = await ctr(["images", "pull", "--hosts-dir", hosts, image], signal);
    signal.throwIfAborted();
    if (exitCode === 0) return;
    throw new LaminaError({
      code: "REGISTRY_UNAVAILABLE",
      message: `The image ${image} cannot be fetched: ${complaint ?? `ctr ended with ${exitCode}`}`,
    });
  }

  async function run(container: ContainerRun): Promise<number> {
    container.signal.throwIfAborted();
    const id = `lamina-${randomUUID()}`;
    await using output = await openOutputPipes(join(pipes, id));
    try {
      return await runAs(id, container, output);
    } finally {
      if (!(await isRemoved(id))) await remove(id);
    }
  }

  async function runAs(id: string, { image, command, onOutput, signal }: ContainerRun, output: OutputPipes): Promise<number> {
    const exited = ctr(["run", ...runFlags(output), "--", image, id, ...command]);
    const early = await Promise.race([exited, output.created]);
    if (early?.complaint !== undefined) return startFailed(early.complaint, { image, command, onOutput, signal });
    const reading = output.read(onOutput);
    const stop = (): void => void stopContainer(id, exited);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    try {
      const { exitCode, complaint } = await Promise.race([exited, reading.then(() => exited)]);
      signal.throwIfAborted();
      if (complaint !== undefined) throw new LaminaError({ code: "RUN_FAILED", message: `The container was lost: ${complaint}` });
      await reading;
      return exitCode;
    } finally {
      signal.removeEventListener("abort", stop);
      // It fails when its pipes are closed early, for a reason that is thrown already.
      reading.catch(() => undefined);
    }
  }

  function runFlags({ logUri, pidFile }: OutputPipes): string[] {
    const flags = ["--rm", "--net-host", "--seccomp", "--label", `${OWNER_LABEL}=${owner}`];
    return [...flags, "--pid-file", pidFile, "--log-uri", logUri];
  }

  async function stopContainer(id: string, exited: Promise<CtrResult>): Promise<void> {
    await ctr(["tasks", "kill", "--signal", "SIGTERM", id]);
    const hasExited = await Promise.race([exited.then(() => true), delay(GRACE_MS, false, { ref: false })]);
    if (!hasExited) await ctr(["tasks", "kill", "--signal", "SIGKILL", id]);
  }

  async function remove(id: string): Promise<void> {
    await ctr(["tasks", "delete", "--force", id]);
    const { complaint } = await ctr(["containers", "delete", id]);
    if (!(await isRemoved(id))) onLeftover(`The container ${id} could not be removed: ${complaint ?? "it is still there"}`);
  }

  async function isRemoved(id: string): Promise<boolean> {
    const { stdout, exitCode } = await ctr(["containers", "list", "--quiet", `id==${id}`]);
    return exitCode === 0 && stdout.trim() === "";
  }

  async function removeLeftovers(): Promise<void> {
    const left = await list(["containers", "list", "--quiet", `labels."${OWNER_LABEL}"==${JSON.stringify(owner)}`]);
    await Promise.all(left.map(remove));
    await rm(pipes, { recursive: true, force: true });
  }

  async function list(args: readonly string[]): Promise<string[]> {
    const { stdout, exitCode, complaint } = await ctr(args);
    if (exitCode !== 0) throw unusable(complaint);
    return stdout.split("\n").filter((line) => line !== "");
  }

  function unusable(complaint: string | undefined): LaminaError {
    return new LaminaError({
      code: "RUN_FAILED",
      message: `containerd at ${address} cannot be used: ${complaint ?? "ctr does not say why"}`,
    });
  }

  return { pull, run, removeLeftovers, ping: async () => void (await list(["containers", "list", "--quiet", "id==none"])) };
}

/** @throws {LaminaError} RUN_FAILED when it is not for the command */
async function startFailed(complaint: string, { image, command, onOutput, signal }: ContainerRun): Promise<number> {
  signal.throwIfAborted();
  const failure = startFailureOf(complaint, command[0] ?? "");
  if (failure === undefined)
    throw new LaminaError({ code: "RUN_FAILED", message: `A container of ${image} cannot be started: ${complaint}` });
  await onOutput("stderr", Buffer.from(`${failure.message}\n`));
  return failure.exitCode;
}
