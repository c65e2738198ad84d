/** The lock of a home: whoever holds it, and nobody else, supervises a platform there. The kernel gives it back however the holder ends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { badInput, LaminaError } from "lamina";
import { lockFile } from "./files.ts";

/** What {@link flock} exits with when another process holds the lock. */
export const LOCK_HELD = 75;

/** The command that runs another one for as long as it holds the lock. */
export function flock(home: string): string[] {
  return ["flock", "--no-fork", "--nonblock", "--conflict-exit-code", String(LOCK_HELD), lockFile(home)];
}

export function flockMissing(cause: unknown): LaminaError {
  const message = "The platform cannot be started: `flock` (package util-linux) is missing.";
  return new LaminaError({ code: "UNREACHABLE", message }, { cause });
}

/** Holds the lock for this process, until it is disposed of or the process ends. @throws INVALID_INPUT when another one holds it */
export async function holdLock(home: string): Promise<Disposable> {
  const [file = "", ...args] = flock(home);
  // It ends with its input, which ends with us, and Ctrl-C is not for it.
  const holder = spawn(file, [...args, "cat"], { stdio: ["pipe", "pipe", "inherit"], detached: true });
  const exited = new Promise<false>((resolve) => holder.once("exit", () => resolve(false)));
  await once(holder, "spawn").catch((cause: unknown) => {
    throw flockMissing(cause);
  });
  holder.stdin.on("error", () => {}).write("held");
  const isHeld = await Promise.race([once(holder.stdout, "data").then(() => true), exited]);
  if (!isHeld) {
    throw badInput("invalid-usage", "The platform runs, or is being started, already. Stop it with `lamina down`.");
  }
  return { [Symbol.dispose]: () => void holder.kill() };
}
