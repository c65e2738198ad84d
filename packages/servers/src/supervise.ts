import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { lastLines } from "./command.ts";
import { endProcess, type StopSignal } from "./end-process.ts";
import { inheritedEnvironment } from "./environment.ts";
import { keepSmall, openLog } from "./log-file.ts";
import { removeServerRecord, writeServerRecord } from "./pid-file.ts";
import { identify, type ProcessIdentity } from "./process-identity.ts";
import { programPath } from "./program-path.ts";

const READY_WITHIN_MS = 60_000;
const READY_POLL_MS = 30;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 15_000;
/** A server that lived that long before it died starts again without the back-off of earlier deaths. */
const STABLE_AFTER_MS = 60_000;

/** One server as a child process. */
export interface ServerProcess {
  readonly name: string;
  readonly command: readonly string[];
  /** Where its log (`logs/<name>.log`) and the record of its process are kept. */
  readonly directory: string;
  /** Directories searched for programs before those of this process. */
  readonly path?: readonly string[];
  /** Variables beside those that it inherits. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly stop: StopSignal;
  /** The pause before it is started again grows from 200 ms to this. Default 15,000. */
  readonly longestPauseMs?: number | undefined;
  /** Resolves to true once the server answers. It is asked again and again until then. */
  readonly isReady: () => Promise<boolean>;
  /** Told in one line when the server died and when it is back. */
  readonly report: (line: string) => void;
}

export interface Supervised {
  /** Ends the server: its stop signal, then SIGKILL. */
  stop(): Promise<void>;
}

/**
 * Starts a server, waits until it is ready and from then on starts it again whenever it dies, with
 * exponential back-off. Throws, with the end of the log, when the first start fails.
 */
export async function supervise(server: ServerProcess): Promise<Supervised> {
  const stopping = new AbortController();
  const first = await start(server, stopping.signal);
  keepSmall(logFile(server), { signal: stopping.signal, report: server.report });
  const ended = keepRunning(server, first, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

interface Running {
  readonly identity: ProcessIdentity;
  readonly startedAtMs: number;
  /** Resolves to how the process ended. */
  readonly exited: Promise<string>;
}

async function keepRunning(server: ServerProcess, first: Running, stopping: AbortSignal): Promise<void> {
  let running: Running | undefined = first;
  let deaths = 0;
  while (running !== undefined) {
    const how = await endedOr(running, stopping);
    if (stopping.aborted) break;
    deaths = performance.now() - running.startedAtMs > STABLE_AFTER_MS ? 1 : deaths + 1;
    server.report(`${server.name} ended (${how}) and is started again`);
    running = await startAgain(server, deaths, stopping);
  }
  if (running !== undefined) await endProcess(running.identity, server.stop);
  await removeServerRecord(server.directory, server.name);
}

/** Tries until the server is back; undefined when it is to be stopped meanwhile. */
async function startAgain(server: ServerProcess, deaths: number, stopping: AbortSignal): Promise<Running | undefined> {
  for (let attempt = deaths; !stopping.aborted; attempt++) {
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), server.longestPauseMs ?? LONGEST_PAUSE_MS);
    await delay(pauseMs, undefined, { signal: stopping }).catch(() => undefined);
    if (stopping.aborted) return undefined;
    try {
      const running = await start(server, stopping);
      server.report(`${server.name} is back`);
      return running;
    } catch (error) {
      if (!stopping.aborted) server.report(error instanceof Error ? error.message : String(error));
    }
  }
  return undefined;
}

/** Spawns the process and waits until it is ready. What does not become ready is ended again. */
async function start(server: ServerProcess, stopping: AbortSignal): Promise<Running> {
  const running = await launch(server);
  const failure = await becomesReady(server, running, stopping);
  if (failure === undefined) return running;
  await endProcess(running.identity, server.stop);
  await removeServerRecord(server.directory, server.name);
  throw new Error(`${server.name} did not start: ${failure}\n${await endOfLog(server)}`);
}

async function launch(server: ServerProcess): Promise<Running> {
  const log = await openLog(logFile(server));
  try {
    const [file = "", ...args] = server.command;
    const environment = { ...inheritedEnvironment(), PATH: programPath(...(server.path ?? [])), ...server.environment };
    // A session of its own: a terminal's Ctrl-C is for the supervisor, which then stops its servers in order.
    const child = spawn(file, args, { cwd: server.directory, env: environment, stdio: ["ignore", log.fd, log.fd], detached: true });
    const exited = new Promise<string>((resolve) => {
      child.on("error", (error) => resolve(error.message));
      child.on("exit", (code, signal) => resolve(signal ?? `exit status ${code}`));
    });
    const identity = child.pid === undefined ? undefined : await identify(child.pid);
    if (identity === undefined) throw new Error(`${server.name} did not start: ${await exited}\n${await endOfLog(server)}`);
    await writeServerRecord(server.directory, server.name, { ...identity, stop: server.stop });
    return { identity, startedAtMs: performance.now(), exited };
  } finally {
    await log.close();
  }
}

/** Resolves to undefined when ready, else to why not. */
async function becomesReady(server: ServerProcess, running: Running, stopping: AbortSignal): Promise<string | undefined> {
  let failure: string | undefined;
  void running.exited.then((how) => (failure = how));
  while (performance.now() - running.startedAtMs < READY_WITHIN_MS) {
    if (await server.isReady().catch(() => false)) return failure;
    if (stopping.aborted) return "it is being stopped";
    if (failure !== undefined) return failure;
    await delay(READY_POLL_MS);
  }
  return `not ready within ${READY_WITHIN_MS / 1000} s`;
}

/** Resolves when the process ended or it is to be stopped. */
async function endedOr(running: Running, stopping: AbortSignal): Promise<string> {
  const stopped = new Promise<string>((resolve) => {
    if (stopping.aborted) resolve("stopped");
    stopping.addEventListener("abort", () => resolve("stopped"), { once: true });
  });
  return Promise.race([running.exited, stopped]);
}

async function endOfLog(server: ServerProcess): Promise<string> {
  return `The end of ${logFile(server)}:\n${lastLines(await readFile(logFile(server), "utf8"))}`;
}

function logFile(server: ServerProcess): string {
  return join(server.directory, "logs", `${server.name}.log`);
}
