/** Peers in Python: with packages of their own, in an environment that is made once and kept in the cache. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { cachePath, makeOnce } from "@lamina/servers";
import { execa } from "execa";

export const PEERS = join(import.meta.dirname, "peers");

/** The program of Python in the environment. */
export async function peerPython(cache: string): Promise<string> {
  const requirements = join(PEERS, "requirements.txt");
  const { stdout: version } = await execa("python3", ["-c", "import sys; print(sys.version)"]);
  const place = cachePath(cache, "bench-python", [version, await readFile(requirements, "utf8")]);
  // What is made in it names its place, so it is made there, and the file says that it is whole.
  await makeOnce(join(place, "whole"), async (whole) => {
    await execa("python3", ["-m", "venv", "--clear", join(place, "venv")]);
    await execa(join(place, "venv/bin/python"), ["-m", "pip", "install", "--quiet", "--only-binary=:all:", "--requirement", requirements]);
    await execa("touch", [whole]);
  });
  return join(place, "venv/bin/python");
}
