/** The command line as a process, from source. */
import path from "node:path";
import { execa } from "execa";
import { z } from "zod";

const JsonObject = z.record(z.string(), z.unknown());
const MAIN = path.resolve(import.meta.dirname, "../../src/main.ts");

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | undefined;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  /** The beginning of the command: where it is run. */
  readonly enter?: readonly string[];
}

export async function cli(args: readonly string[], options: CliOptions = {}): Promise<Outcome> {
  const { stdout, stderr, exitCode } = await startCli(args, options);
  return { stdout, stderr, exitCode };
}

/** The same while it runs. */
export function startCli(args: readonly string[], { env = {}, cwd, input, enter = [] }: CliOptions = {}) {
  const [program = process.execPath, ...more] = [...enter, ...commandOfCli(args)];
  return execa(program, more, {
    env: environmentOf(env),
    extendEnv: false,
    reject: false,
    ...(cwd !== undefined && { cwd }),
    ...(input === undefined ? { stdin: "ignore" } : { input }),
  });
}

export function commandOfCli(args: readonly string[]): [string, ...string[]] {
  return [process.execPath, MAIN, ...args];
}

/** Only variables that are named, and what programs need to be found. */
export function environmentOf(env: Readonly<Record<string, string>>): Record<string, string> {
  const { PATH = "", HOME = "", SSL_CERT_FILE = "", LAMINA_CACHE = "" } = process.env;
  return { PATH, HOME, SSL_CERT_FILE, LAMINA_CACHE, ...env };
}

/** The lines of JSON on stdout. */
export function jsonLines({ stdout }: Pick<Outcome, "stdout">): Record<string, unknown>[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JsonObject.parse(JSON.parse(line)));
}
