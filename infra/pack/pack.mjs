/**
 * `node infra/pack/pack.mjs [DIRECTORY]`: writes the released packages as tarballs, `lamina` and `@lamina/cli`, which
 * carry the private packages of the workspace in their bundles. What was built before and has not changed is not built again.
 */
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { run } from "./command.mjs";
import { manifestOf, thirdPartyOf } from "./manifest.mjs";
import { bundleSdk } from "./sdk.mjs";

const root = path.resolve(import.meta.dirname, "../..");
const destination = path.resolve(process.argv[2] ?? path.join(root, "infra/dist/packages"));

const APPS = ["cli", "control-plane", "builder", "runner"].map((app) => `apps/${app}`);
/** What the launcher needs to bring Node 24 where the machine's own is older. */
const TOOLCHAIN = ["cache.mjs", "child.mjs", "pinned.mjs", "step.mjs", "package.json", "package-lock.json"];

await run([path.join(root, "node_modules/.bin/turbo"), "run", "build", ...APPS.map((app) => `--filter=./${app}`)], { directory: root });
const staging = await mkdtemp(path.join(tmpdir(), "lamina-pack-"));
try {
  const packages = await Promise.all([stageSdk(path.join(staging, "sdk")), stageCli(path.join(staging, "cli"))]);
  await rm(destination, { recursive: true, force: true });
  await mkdir(destination, { recursive: true });
  for (const directory of packages) {
    const [{ filename, size }] = JSON.parse(
      await run(["npm", "pack", "--json", "--ignore-scripts", "--pack-destination", destination], { directory }),
    );
    console.log(`${path.relative(process.cwd(), path.join(destination, filename))}  ${(size / 1e6).toFixed(1)} MB`);
  }
} finally {
  await rm(staging, { recursive: true, force: true });
}

async function stageSdk(directory) {
  await stagePapers("packages/sdk", directory);
  await bundleSdk({ root, directory: path.join(directory, "dist") });
  await writeManifest(directory, {
    ...(await manifestOf(path.join(root, "packages/sdk"))),
    exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.mjs" } },
    sideEffects: false,
    dependencies: await thirdPartyOf([path.join(root, "packages/sdk")]),
  });
  return directory;
}

/** Laid out as the checkout, so that everything is found in both by the same relative paths. */
async function stageCli(directory) {
  await stagePapers("apps/cli", directory);
  for (const app of APPS) await stageBundle(app, directory);
  for (const place of [
    "apps/cli/bin",
    "apps/control-plane/prisma",
    "apps/runner/harness",
    "apps/runner/harness",
    "infra/servers",
    ...TOOLCHAIN.map((file) => `infra/toolchain/${file}`),
  ]) {
    await cp(path.join(root, place), path.join(directory, place), { recursive: true });
  }
  await writeManifest(directory, {
    ...(await manifestOf(path.join(root, "apps/cli"))),
    bin: { lamina: "apps/cli/bin/lamina.mjs" },
    dependencies: await thirdPartyOf(APPS.map((app) => path.join(root, app))),
  });
  return directory;
}

/** Without source maps: they would map frames to files that are not there. */
async function stageBundle(app, directory) {
  const bundle = path.join(root, app, "dist");
  await cp(bundle, path.join(directory, app, "dist"), { recursive: true, filter: (file) => file === bundle || file.endsWith(".mjs") });
}

async function stagePapers(place, directory) {
  await mkdir(directory);
  await Promise.all([
    cp(path.join(root, "LICENSE"), path.join(directory, "LICENSE")),
    ...["README.md", "CHANGELOG.md"].map((file) => cp(path.join(root, place, file), path.join(directory, file))),
  ]);
}

async function writeManifest(directory, manifest) {
  await writeFile(path.join(directory, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
}
