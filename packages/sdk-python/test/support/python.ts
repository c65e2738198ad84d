/** Python with what the tests of the SDK need. */
import path from "node:path";
import { pythonSdk } from "@lamina/testkit";
import { execa } from "execa";

const PACKAGE = path.resolve(import.meta.dirname, "../..");

export interface Ran {
  readonly exitCode: number | undefined;
  /** What it printed, on stdout and stderr together. */
  readonly output: string;
}

/** Runs Python in the directory of the package, which it finds by `import lamina`. */
export async function python(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const variables = {
    ...(await pythonSdk()),
    // The same Node as these tests run in, for what is compared with the SDK for TypeScript.
    LAMINA_TEST_NODE: process.execPath,
    ...environment,
  };
  const { exitCode, all } = await execa("python3", args, { cwd: PACKAGE, env: variables, reject: false, all: true });
  return { exitCode, output: all };
}
