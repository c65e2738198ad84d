/** Sources in Python beside a user's file: what is sent of them. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ignoreLines } from "../local/ignore-file.ts";
import { ignoringOf } from "../local/ignore.ts";
import { type LocalTree, readDirectoryTree } from "../local/tree.ts";
import { Unsupported } from "../local/walk.ts";

/** Never sources, wherever they are. */
const LEFT_OUT = ["**/.venv", "**/venv", "**/__pycache__", "**/node_modules", "**/.git", "**/*.pyc"];

/**
 * The tree of a module's sources: the package that it is in, where it is in one; else the modules and packages of the directory. What the
 * directory's .dockerignore leaves out is left out. @throws Unsupported
 */
export async function pythonTree(directory: string, module: string, home: string): Promise<LocalTree> {
  const [top = module] = module.split(".");
  const isInPackage = existsSync(join(directory, top)) && (module.includes(".") || !existsSync(join(directory, `${top}.py`)));
  const names = isInPackage ? [top] : await modulesAndPackages(directory);
  const ignoring = ignoringOf(["*", ...names.map((name) => `!${name}`), ...(await ignoreLines(directory)), ...LEFT_OUT]);
  const tree = await readDirectoryTree(directory, { home, ignoring });
  const place = module.replaceAll(".", "/");
  if (tree.entries.some(({ path }) => path === `${place}/__init__.py` || path.startsWith(`${place}.`))) return tree;
  throw new Unsupported("missing-file", `there is no module ${module} in ${directory} (looked for ${place}.py and ${place}/__init__.py)`);
}

/** `module.py`, extension modules such as `module.cpython-312-x86_64-linux-gnu.so`, and directories that are packages. */
async function modulesAndPackages(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  return names.filter(
    (name) => /^\w+(\.[\w-]+)*\.so$|^\w+\.py$/.test(name) || (/^\w+$/.test(name) && existsSync(join(directory, name, "__init__.py"))),
  );
}
