/** `addPythonPackages` before its files are read. */
import { moduleNameProblem, type StepOperation } from "@lamina/ir";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { ignoringOf } from "../local/ignore.ts";
import { readParts } from "../local/parts.ts";
import { aboutPath } from "../local/problem.ts";
import { readText } from "../local/text.ts";
import { parseToml } from "../local/toml.ts";
import { kindOf } from "../local/tree.ts";
import { Unsupported } from "../local/walk.ts";
import { LocalPath, NO_TREE, type ReadLocalStep, RunFields } from "./read.ts";

export const LocalPackages = z.object({
  kind: z.literal("localPackages"),
  method: z.literal("addPythonPackages"),
  paths: z.array(LocalPath).min(1).readonly(),
  run: RunFields,
});
export type LocalPackages = z.infer<typeof LocalPackages>;

type AddPythonPackages = Extract<StepOperation, { kind: "addPythonPackages" }>;
type PackageKind = AddPythonPackages["packages"][number]["kind"];

/** The operation with the digest of no tree, and packages of the kinds that their names tell. */
export function packagesWithoutFiles({ paths, run }: LocalPackages): AddPythonPackages {
  const packages = paths.map(({ path }) => ({ kind: kindByName(path) ?? ("project" as const), name: basename(path) }));
  return { kind: "addPythonPackages", tree: NO_TREE, packages, ...run };
}

export async function readPackages({ paths, run }: LocalPackages, home: string): Promise<ReadLocalStep> {
  const packages: AddPythonPackages["packages"] = [];
  for (const path of paths) packages.push({ kind: await aboutPath(path, () => packageKind(path)), name: basename(path.path) });
  const parts = paths.map((path, index) => ({ ...path, place: `${index + 1}/${basename(path.path)}`, ignoring: IGNORING }));
  const tree = await readParts(parts, { home });
  return { tree, operation: { kind: "addPythonPackages", tree: tree.digest, packages, ...run } };
}

/** What no package is made of, and what tools that look at a project leave in it: a change of it is no change of the package. */
const IGNORING = ignoringOf(
  [
    ".git",
    ".hg",
    ".svn",
    "__pycache__",
    "*.pyc",
    "*.egg-info",
    ".venv",
    ".tox",
    ".nox",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".hypothesis",
    ".coverage",
  ].map((name) => `**/${name}`),
);

function kindByName(path: string): PackageKind | undefined {
  if (path.endsWith(".whl")) return "wheel";
  return path.endsWith(".tar.gz") || path.endsWith(".zip") ? "sdist" : undefined;
}

async function packageKind({ given, path }: LocalPath): Promise<PackageKind> {
  if ((await kindOf(path)) === "directory") {
    if (await isProject(path)) return "project";
    if (await isFile(join(path, "__init__.py"))) return moduleKind(path);
    throw new Unsupported(
      "invalid-package",
      `"${given}" is no Python package: a project has a pyproject.toml with [project] or [build-system], or a setup.py; what is imported as it is has an __init__.py`,
    );
  }
  const kind = kindByName(path);
  if (kind !== undefined) return kind;
  throw new Unsupported("invalid-package", `"${given}" is neither a wheel (.whl), a source distribution (.tar.gz, .zip) nor a directory`);
}

function moduleKind(path: string): "module" {
  const problem = moduleNameProblem(basename(path));
  if (problem !== undefined) throw new Unsupported("invalid-package", problem);
  return "module";
}

/** Whether a build backend makes something of it. A pyproject.toml may hold the settings of tools alone. */
async function isProject(directory: string): Promise<boolean> {
  if (await isFile(join(directory, "setup.py"))) return true;
  const pyproject = join(directory, "pyproject.toml");
  if (!(await isFile(pyproject))) return false;
  const data = parseToml(await readText(pyproject), { given: pyproject, reason: "invalid-pyproject" });
  return "project" in data || "build-system" in data || (await isFile(join(directory, "setup.cfg")));
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isFile(),
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return false;
      throw error;
    },
  );
}
