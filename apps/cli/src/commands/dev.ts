import { spawn } from "node:child_process";
import { readConfig } from "../config.ts";
import type { Output } from "../output.ts";
import { logFile, makeHome } from "../platform/files.ts";
import { holdLock } from "../platform/lock.ts";
import { runPlatform } from "../platform/run.ts";

const SHOWN_LOGS = ["control-plane", "builder", "runner"];

/** Runs the platform in this process, our own apps from source; each is started again when its sources change. Ctrl-C stops it. */
export async function dev({ output }: { readonly output: Output }): Promise<void> {
  const config = readConfig();
  await makeHome(config.home);
  using _lock = await holdLock(config.home);
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, () => stop.abort());
  const files = SHOWN_LOGS.map((name) => logFile(config.home, name));
  const tail = spawn("tail", ["--follow=name", "--retry", "--quiet", "--lines=0", ...files], {
    stdio: ["ignore", "inherit", "ignore"],
    detached: true,
  });
  try {
    await runPlatform({ config, watch: true, report: (line) => output.note(line), signal: stop.signal });
  } finally {
    tail.kill();
  }
}
