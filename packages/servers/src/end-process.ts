import { setTimeout as delay } from "node:timers/promises";
import { firstChild, isAlive, identify, type ProcessIdentity } from "./process-identity.ts";

/** How a server is asked to stop. */
export interface StopSignal {
  readonly signal: "SIGTERM" | "SIGINT";
  /** SIGKILL follows after that many seconds. */
  readonly graceSeconds: number;
  /** The server runs behind `unshare`, which ignores signals: its child is asked. */
  readonly isolated: boolean;
}

const POLL_MS = 20;

/** Ends a process, gracefully if it can, and returns when it is gone. It need not be a child of this one. */
export async function endProcess(identity: ProcessIdentity, stop: StopSignal): Promise<void> {
  const target = (await signalTarget(identity, stop)) ?? identity;
  await signalIfAlive(target, stop.signal);
  if (await isGoneWithin(identity, stop.graceSeconds * 1000)) return;
  await signalIfAlive(target, "SIGKILL");
  if (await isGoneWithin(identity, 10_000)) return;
  throw new Error(`Process ${identity.pid} could not be ended.`);
}

async function signalTarget(identity: ProcessIdentity, stop: StopSignal): Promise<ProcessIdentity | undefined> {
  if (!stop.isolated || !(await isAlive(identity))) return undefined;
  const child = await firstChild(identity.pid);
  return child === undefined ? undefined : identify(child);
}

async function signalIfAlive(identity: ProcessIdentity, signal: NodeJS.Signals): Promise<void> {
  if (!(await isAlive(identity))) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    if (await isAlive(identity)) throw error;
  }
}

async function isGoneWithin(identity: ProcessIdentity, milliseconds: number): Promise<boolean> {
  const deadline = performance.now() + milliseconds;
  while (await isAlive(identity)) {
    if (performance.now() > deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}
