import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Runs a command and returns what it printed on stdout. Throws with its output when it fails. */
export async function run([file, ...args], { directory }) {
  try {
    return (await promisify(execFile)(file, args, { cwd: directory })).stdout;
  } catch (error) {
    throw new Error(`${file} ${args.join(" ")} failed:\n${error.stdout ?? ""}${error.stderr ?? error.message}`, { cause: error });
  }
}
