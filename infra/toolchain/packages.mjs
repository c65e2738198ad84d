import { existsSync, readFileSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hashOf } from "./cache.mjs";
import { step } from "./step.mjs";

/** Runs `pnpm install` when what it depends on has changed since it last ran. */
export async function installPackages({ root, environment }) {
  const remembered = join(root, "node_modules", ".lamina-installed");
  const wanted = hashOf(await installSources(root));
  if (existsSync(remembered) && readFileSync(remembered, "utf8") === wanted) return;
  await step("Installing the packages", "about 20 s", {
    command: ["pnpm", "install", "--frozen-lockfile"],
    directory: root,
    environment,
  });
  await writeFile(remembered, wanted);
}

/** The lock file, the workspace, every package.json, and the database schema, whose client is generated on install. */
async function installSources(root) {
  const groups = await Promise.all(
    ["apps", "packages"].map(async (group) => (await readdir(join(root, group))).map((name) => join(group, name, "package.json"))),
  );
  const files = ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json", "apps/control-plane/prisma/schema.prisma", ...groups.flat()];
  const present = files.filter((file) => existsSync(join(root, file))).toSorted((a, b) => a.localeCompare(b));
  return Promise.all(present.map(async (file) => [file, await readFile(join(root, file), "utf8")]));
}
