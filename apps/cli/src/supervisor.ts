/** The program that stays in the background and supervises the embedded platform. `lamina up` starts it, `lamina down` sends it SIGTERM. */
import { readConfig } from "./config.ts";
import { runPlatform } from "./platform/run.ts";

const stop = new AbortController();
for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, () => stop.abort());

const report = (line: string) => console.log(`${new Date().toISOString()} ${line}`);
try {
  report(`The supervisor starts as process ${process.pid}`);
  await runPlatform({ config: readConfig(), watch: false, report, signal: stop.signal });
  report("The platform has stopped");
} catch (error) {
  report(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 1;
}
