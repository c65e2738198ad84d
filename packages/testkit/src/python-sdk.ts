/** The SDK for Python with what it and its tests need, for the Python of this machine. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { cachePath, makeOnce } from "@lamina/servers";
import { execa } from "execa";
import { readTestConfig } from "./config.ts";

const PACKAGE = path.resolve(import.meta.dirname, "../../sdk-python");
const REQUIREMENTS = path.join(PACKAGE, "test/requirements.txt");

/** Variables by which `python3` finds the SDK, and nothing of the machine's Python but its standard library. */
export async function pythonSdk(): Promise<Readonly<Record<string, string>>> {
  return {
    PYTHONNOUSERSITE: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    PYTHONPATH: [path.join(PACKAGE, "src"), await installed()].join(path.delimiter),
  };
}

/** The directory with what `requirements.txt` names, installed once into the cache of the tool chain. */
async function installed(): Promise<string> {
  const { stdout: version } = await execa("python3", ["-c", "import sys; print(sys.version, sys.implementation.cache_tag)"]);
  const place = cachePath(readTestConfig().cache, "python-packages", [version, await readFile(REQUIREMENTS, "utf8")]);
  return makeOnce(place, async (temporary) => {
    const options = ["--quiet", "--only-binary=:all:", "--target", temporary, "--requirement", REQUIREMENTS];
    await execa("python3", ["-m", "pip", "install", ...options]);
  });
}
