import { join } from "node:path";

/** The command that runs one of our apps from source. */
export function commandOf(app: string): [program: string, ...args: string[]] {
  return [process.execPath, "--disable-warning=ExperimentalWarning", join(import.meta.dirname, "../../../apps", app, "src/main.ts")];
}
