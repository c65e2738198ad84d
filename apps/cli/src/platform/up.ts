/** Starts the embedded platform in the background, or finds the one that runs. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "../config.ts";
import { LaminaError } from "lamina";
import { ownEntry } from "./entry.ts";
import { logFile, makeHome, type PlatformRecord, readPlatform, readSupervisor, type SupervisorRecord } from "./files.ts";
import { flock, flockMissing, LOCK_HELD } from "./lock.ts";

const POLL_MS = 50;
const SHOWN_LOG_LINES = 15;

/** Told each time there may be news, with undefined before the supervisor has said anything. */
export type OnProgress = (record: SupervisorRecord | undefined) => void;

/**
 * The platform of the home, started when it is not up. Of two that start it at once, one does and both
 * wait for it. @throws UNREACHABLE with the end of the log when something cannot start
 */
export async function up(config: Config, onProgress: OnProgress): Promise<PlatformRecord> {
  await makeHome(config.home);
  let supervisor: Spawned | undefined;
  for (;;) {
    const platform = await readPlatform(config.home);
    const record = await readSupervisor(config.home);
    if (platform !== undefined) {
      onProgress(record);
      return platform;
    }
    if (record !== undefined && supervisor?.pid === record.pid && record.state === "failed") throw await notStarted(config, record.problem);
    if (supervisor === undefined && !record?.alive) supervisor = await spawnSupervisor(config);
    // It gave up: another one held the lock (and is to be waited for), or it died before it could say why.
    const exitCode = supervisor?.exitCode();
    if (exitCode === LOCK_HELD) supervisor = undefined;
    else if (exitCode !== undefined) throw await notStarted(config, record?.pid === supervisor?.pid ? record?.problem : undefined);
    onProgress(record?.alive ? record : undefined);
    await delay(POLL_MS);
  }
}

interface Spawned {
  readonly pid: number;
  /** Undefined while it runs. */
  exitCode(): number | undefined;
}

/** In a session of its own, with no part of our input and output, and holding the lock of the home as long as it lives. */
async function spawnSupervisor(config: Config): Promise<Spawned> {
  const log = await open(logFile(config.home, "supervisor"), "a", 0o600);
  try {
    const [file = "", ...lock] = flock(config.home);
    const child = spawn(file, [...lock, process.execPath, "--enable-source-maps", ownEntry("supervisor")], {
      cwd: config.home,
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
    });
    await once(child, "spawn");
    child.unref();
    const ended = (code: number | null, signal: NodeJS.Signals | null) => code ?? (signal === null ? undefined : 1);
    return { pid: child.pid ?? 0, exitCode: () => ended(child.exitCode, child.signalCode) };
  } catch (cause) {
    throw flockMissing(cause);
  } finally {
    await log.close();
  }
}

/** A problem's first line says what is wrong, the others are the end of a log; without a problem the supervisor's log may tell. */
async function notStarted(config: Config, problem: string | undefined): Promise<LaminaError> {
  const log = async () => (await readFile(logFile(config.home, "supervisor"), "utf8")).trimEnd().split("\n");
  const [headline = "no reason was given", ...lines] = problem?.trimEnd().split("\n") ?? ["its supervisor has ended", ...(await log())];
  return new LaminaError({
    code: "UNREACHABLE",
    message: `The platform did not start: ${headline.replace(/:$/, "")}\nThe logs are in ${path.dirname(logFile(config.home, "supervisor"))}; \`lamina doctor\` says more.`,
    lastLines: lines.slice(-SHOWN_LOG_LINES),
  });
}
