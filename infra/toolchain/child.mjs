import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";

const running = new Set();

/**
 * Runs a command that has the terminal. Resolves to its exit code; 128 + the signal's number when a signal
 * ended it.
 */
export async function exec([file, ...args], { directory, environment }) {
  const child = track(spawn(file, args, { cwd: directory, env: environment, stdio: "inherit" }));
  return new Promise((resolve, reject) => {
    child.on("error", (cause) => reject(new Error(`${file} could not be run: ${cause.message}`, { cause })));
    child.on("exit", (code, signal) => resolve(code ?? exitCodeOf(signal)));
  });
}

/** Runs a command without a terminal and resolves to whether it succeeded and what it printed. */
export async function capture([file, ...args], { directory, environment } = {}) {
  const child = track(spawn(file, args, { cwd: directory, env: environment, stdio: ["ignore", "pipe", "pipe"] }));
  const chunks = [];
  child.stdout.on("data", (chunk) => chunks.push(chunk));
  child.stderr.on("data", (chunk) => chunks.push(chunk));
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ succeeded: false, output: error.message }));
    child.on("close", (code) => resolve({ succeeded: code === 0, output: Buffer.concat(chunks).toString() }));
  });
}

/** Passes a signal on to the commands that run now. */
export function signalChildren(signal) {
  for (const child of running) child.kill(signal);
}

/** Ends the commands that run now, and what they have started. */
export function endChildren() {
  for (const pid of [...running].flatMap((child) => [child.pid, ...descendants(child.pid)])) {
    try {
      process.kill(pid, "SIGTERM");
    } catch (error) {
      if (error.code !== "ESRCH") throw error;
    }
  }
}

/** What a shell reports for a program that a signal ended. */
export function exitCodeOf(signal) {
  return 128 + constants.signals[signal];
}

function track(child) {
  if (child.pid !== undefined) {
    running.add(child);
    child.once("exit", () => running.delete(child));
  }
  return child;
}

function descendants(pid) {
  let children;
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  } catch (error) {
    // The process has ended meanwhile.
    if (error.code === "ENOENT" || error.code === "ESRCH") return [];
    throw error;
  }
  return children
    .split(" ")
    .filter(Boolean)
    .map(Number)
    .flatMap((child) => [child, ...descendants(child)]);
}
