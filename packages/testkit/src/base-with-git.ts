/** What `debianSlim` starts from, made small: quickly built on, and quickly searched through. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { ServerAddresses } from "@lamina/servers";
import { execa } from "execa";
import { extendBase } from "./extend-base.ts";
import { tinyPython } from "./tiny-base.ts";

const PROGRAMS = ["git", "git-remote-http", "git-http-fetch"];
/** What is copied lies here with its libraries, which may be of another release than the base's. */
const PLACE = "opt/git";

/**
 * Puts the tiny base with Python and this machine's git into the registry, as Debian with Python of that version. Its
 * `apt-get` has nothing to install.
 */
export async function debianWithGit(registry: ServerAddresses["registry"], python: string): Promise<void> {
  const { stdout: core } = await execa("git", ["--exec-path"]);
  const programs = PROGRAMS.map((program) => `${core}/${program}`);
  const { stdout } = await execa("ldd", programs);
  const libraries = [...new Set(stdout.match(/\/\S+(?= \(0x)/g))];
  const loader = libraries.find((library) => basename(library).startsWith("ld-linux")) ?? "";
  const copied = await Promise.all(
    [...programs, ...libraries].map(async (file) => ({ name: `${PLACE}/${basename(file)}`, content: await readFile(file), mode: 0o755 })),
  );
  const started = (program: string) =>
    `#!/bin/sh\nGIT_EXEC_PATH=/usr/bin exec /${PLACE}/${basename(loader)} --library-path /${PLACE} /${PLACE}/${program} "$@"\n`;
  const scripts = [
    ...PROGRAMS.map((program) => ({ name: `usr/bin/${program}`, content: started(program), mode: 0o755 })),
    { name: "usr/bin/apt-get", content: "#!/bin/sh\n", mode: 0o755 },
  ];
  await extendBase(await tinyPython(registry), registry, {
    files: [...copied, ...scripts],
    repository: "bases/python",
    tag: `${python}-slim`,
  });
}
