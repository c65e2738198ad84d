/** Sources in Python beside a user's file: what is sent of them. */
import { existsSync } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { ignoreLines } from "../local/ignore-file.ts";
import { ignoringOf } from "../local/ignore.ts";
import { type LocalTree, readDirectoryTree } from "../local/tree.ts";
import { Unsupported } from "../local/walk.ts";

/** Never sources, wherever they are. */
const LEFT_OUT = ["**/.venv", "**/venv", "**/__pycache__", "**/node_modules", "**/.git", "**/*.pyc"];

/** `module.py`, and extension modules such as `module.cpython-312-x86_64-linux-gnu.so`. */
const MODULE = /^(?:[\w-]+\.py|\w+(?:\.[\w-]+)*\.so)$/;

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

/** What of a directory can be imported, as patterns: modules, directories that are packages, and modules in other directories. */
async function modulesAndPackages(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  return (await Promise.all(names.map((name) => patternsOf(directory, name)))).flat();
}

/** A directory without modules right in it is not searched: what lies beside a file may be anything. */
async function patternsOf(directory: string, name: string): Promise<string[]> {
  const place = join(directory, name);
  if (MODULE.test(name)) return [name];
  if (!/^\w+$/.test(name)) return [];
  if (existsSync(join(place, "__init__.py"))) return [name];
  const inside = await namesIn(place);
  const others = inside.filter((one) => !MODULE.test(one));
  if (others.length === inside.length) return [];
  const below = await Promise.all(others.map((one) => patternsOf(place, one)));
  return ["*.py", "*.so", ...below.flat()].map((pattern) => `${name}/${pattern}`);
}

/** None of what is no directory, is a link, or cannot be read. */
async function namesIn(place: string): Promise<readonly string[]> {
  const isDirectory = (await lstat(place)).isDirectory();
  return isDirectory ? readdir(place).catch(() => []) : [];
}
