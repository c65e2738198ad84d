/** Python with what the tests of the SDK need, kept in the cache of the tool chain. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { readTestConfig } from "@lamina/testkit";
import { cachePath, makeOnce } from "@lamina/servers";
import { execa } from "execa";

const PACKAGE = path.resolve(import.meta.dirname, "../..");
const REQUIREMENTS = path.join(PACKAGE, "test/requirements.txt");

export interface Ran {
  readonly exitCode: number | undefined;
  /** What it printed, on stdout and stderr together. */
  readonly output: string;
}

/** Runs Python in the directory of the package, which it finds by `import lamina`. */
export async function python(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const variables = {
    // Nothing of the machine's Python but its standard library.
    PYTHONNOUSERSITE: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    PYTHONPATH: [path.join(PACKAGE, "src"), await installed()].join(path.delimiter),
    // The same Node as these tests run in, for what is compared with the SDK for TypeScript.
    LAMINA_TEST_NODE: process.execPath,
    ...environment,
  };
  const { exitCode, all } = await execa("python3", args, { cwd: PACKAGE, env: variables, reject: false, all: true });
  return { exitCode, output: all };
}

/** The directory with what `requirements.txt` names, installed once. */
async function installed(): Promise<string> {
  const { stdout: version } = await execa("python3", ["-c", "import sys; print(sys.version, sys.implementation.cache_tag)"]);
  const place = cachePath(readTestConfig().cache, "python-packages", [version, await readFile(REQUIREMENTS, "utf8")]);
  return makeOnce(place, async (temporary) => {
    await execa("python3", [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--only-binary=:all:",
      "--target",
      temporary,
      "--requirement",
      REQUIREMENTS,
    ]);
  });
}
