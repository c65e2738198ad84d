import { spawn } from "node:child_process";
import { programPath } from "./program-path.ts";

/** How a command is run beside its arguments. */
export interface CommandOptions {
  readonly directory?: string;
  /** What it is called when it fails, where another program starts it. */
  readonly name?: string;
  /** Variables added to those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Runs a command to its end and returns its stdout. Only built-in modules, so that it runs before any
 * package is installed. Throws with the last lines of stderr when the command fails, and names the
 * command when it is not there.
 */
export async function runCommand(file: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const child = spawn(file, args, {
    cwd: options.directory,
    env: { ...process.env, PATH: programPath(), ...options.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr = lastLines(stderr + text)));
  const status = await new Promise<number | string>((resolve, reject) => {
    child.on("error", (cause) => reject(new Error(`${file} could not be run: ${cause.message}`, { cause })));
    child.on("close", (code, signal) => resolve(code ?? signal ?? "unknown"));
  });
  if (status !== 0) throw new Error(`${options.name ?? `${file} ${args[0] ?? ""}`} failed (${status}):\n${stderr}`);
  return stdout;
}

/** The last lines of a text, for error messages. */
export function lastLines(text: string, count = 20): string {
  return text.split("\n").slice(-count).join("\n");
}
