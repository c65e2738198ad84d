/** Python projects that steps with secrets install. */
import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PackageIndex, ProjectOptions } from "@lamina/testkit";
import type { Site } from "./site.ts";

/** Writes files into a new directory. @returns the directory */
export async function writeSources({ platform }: Site, files: Readonly<Record<string, string>>): Promise<string> {
  const directory = join(platform.directory, "sources", randomUUID());
  await mkdir(directory, { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  return directory;
}

/** Writes a Poetry project without a lock that depends on a package of that index, and names no credentials. @returns its pyproject.toml */
export async function writePoetryProject(site: Site, { host }: PackageIndex, dependency: string): Promise<string> {
  const pyproject = `[tool.poetry]
package-mode = false
[tool.poetry.dependencies]
python = ">=3.10"
${dependency} = "*"
[[tool.poetry.source]]
name = "private"
url = "http://${host}/simple"
priority = "primary"
`;
  return join(await writeSources(site, { "pyproject.toml": pyproject }), "pyproject.toml");
}

/** A project whose build puts the value of a variable into what is installed of it. */
export function keeperOf(variable: string): ProjectOptions {
  const whenBuilt = `import os\nopen("keeper.py", "w").write("# " + os.environ["${variable}"])`;
  return { module: "keeper", version: "1.0", source: "", whenBuilt };
}
