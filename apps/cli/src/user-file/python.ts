/** Files in Python are run by the Python SDK, in the user's own Python. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { text } from "node:stream/consumers";
import { LaminaError, type PlatformAddress } from "lamina";

export function isPython(file: string): boolean {
  return file.endsWith(".py");
}

export interface PythonCommand {
  readonly command: "run" | "deploy";
  /** FILE or FILE::function. */
  readonly target: string;
  readonly args?: readonly string[];
  readonly json: boolean;
}

/**
 * `python3 -m lamina._run run|deploy TARGET [--json] -- ARGUMENTS`, with our output and the platform in its environment.
 * @returns its exit code @throws INVALID_INPUT where there is no Python, or it has no SDK
 */
export async function runPython({ command, target, args = [], json }: PythonCommand, platform: PlatformAddress): Promise<number> {
  const own = ["-m", "lamina._run", command, target, ...(json ? ["--json"] : []), "--", ...args];
  const env = { ...process.env, LAMINA_URL: platform.url, LAMINA_TOKEN: platform.token };
  const child = spawn("python3", own, { stdio: "inherit", env });
  // A terminal sends Ctrl-C to the child too; it says what becomes of it.
  const pass = (signal: NodeJS.Signals) => void (process.stdin.isTTY || child.kill(signal));
  process.on("SIGINT", pass);
  process.on("SIGTERM", pass);
  try {
    await once(child, "exit");
    const { exitCode, signalCode } = child;
    const problem = exitCode === 1 ? await importProblem() : undefined;
    if (problem !== undefined) throw new LaminaError({ code: "INVALID_INPUT", message: `${target} is in Python, and ${problem}` });
    return exitCode ?? 128 + (signalCode === null ? 0 : constants.signals[signalCode]);
  } catch (cause) {
    if (cause instanceof LaminaError) throw cause;
    const message = `${target} is in Python, and there is no python3 to run it: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new LaminaError({ code: "INVALID_INPUT", message }, { cause });
  } finally {
    process.off("SIGINT", pass);
    process.off("SIGTERM", pass);
  }
}

/** What keeps Python from importing the SDK. Asked only when something went wrong, since Python takes a moment to start. */
async function importProblem(): Promise<string | undefined> {
  const child = spawn("python3", ["-c", "import lamina"], { stdio: ["ignore", "ignore", "pipe"] });
  const [said] = await Promise.all([text(child.stderr), once(child, "exit")]);
  if (child.exitCode === 0) return undefined;
  const error = said.trimEnd().split("\n").at(-1) ?? "";
  if (!error.includes("No module named 'lamina'")) return `python3 cannot import the package lamina: ${error}`;
  return "python3 does not find the package lamina. Install it there: python3 -m pip install lamina";
}
