import { readFile } from "node:fs/promises";
import path from "node:path";

/** What package.json says of a package to people and package managers; the rest of it is for the workspace. */
export async function manifestOf(directory) {
  const { name, version, description, license, type, engines } = await readManifest(directory);
  return { name, version, description, license, type, engines };
}

/** The npm packages that the bundles of these packages import, each at the version that they are tested with. */
export async function thirdPartyOf(directories) {
  const perPackage = await Promise.all(
    directories.map(async (directory) => {
      const { dependencies } = await readManifest(directory);
      const names = Object.keys(dependencies).filter((name) => !dependencies[name].startsWith("workspace:"));
      return Promise.all(names.map(async (name) => [name, (await readManifest(path.join(directory, "node_modules", name))).version]));
    }),
  );
  return Object.fromEntries(perPackage.flat().toSorted(([a], [b]) => a.localeCompare(b)));
}

async function readManifest(directory) {
  return JSON.parse(await readFile(path.join(directory, "package.json"), "utf8"));
}
