/** A control plane as a process of its own, which can be killed. */
import { once } from "node:events";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { join } from "node:path";
import type { TestPlace } from "./platform.ts";

export interface ControlPlaneProcess extends AsyncDisposable {
  /** As by `kill -9`. */
  kill(): Promise<void>;
  /** As a stop is asked for; resolves with the exit code. */
  terminate(): Promise<number | null>;
}

/** Resolves when it listens on that port. */
export async function controlPlaneProcess({ environment }: TestPlace, port: number): Promise<ControlPlaneProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "../../src/main.ts")], {
    env: { PATH: process.env["PATH"], ...environment, LAMINA_LISTEN: `127.0.0.1:${port}` },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(child, "exit");
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    lines.push(line);
    if (line.includes('"msg":"listening"')) break;
  }
  if (child.exitCode !== null) throw new Error(`The control plane did not start:\n${lines.join("\n")}`);
  child.stderr.resume();
  return {
    kill: () => end("SIGKILL"),
    async terminate() {
      await end("SIGTERM");
      return child.exitCode;
    },
    [Symbol.asyncDispose]: () => end("SIGKILL"),
  };
}
