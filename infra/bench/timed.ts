/** Running a program and taking the time from before its start until it has ended. */
import { createInterface } from "node:readline";
import { execa } from "execa";

export interface TimedOptions {
  readonly cwd?: string | undefined;
  /** Variables beside those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Hears each line that it writes to stderr, at once. */
  readonly onLine?: ((line: string) => void) | undefined;
}

/** @throws with its output when it fails */
export async function timed(
  [program = "", ...args]: readonly string[],
  { cwd, environment = {}, onLine }: TimedOptions,
): Promise<{ readonly milliseconds: number; readonly stdout: string }> {
  const startedAt = performance.now();
  const running = execa(program, args, { stdin: "ignore", env: environment, ...(cwd !== undefined && { cwd }) });
  if (onLine !== undefined) createInterface({ input: running.stderr }).on("line", onLine);
  const { stdout } = await running;
  return { milliseconds: performance.now() - startedAt, stdout };
}
