import { glob, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "tsdown";
import { run } from "./command.mjs";

/** Bundles the SDK with the packages of ours that it stands on: `index.mjs` and its types, `index.d.ts`. */
export async function bundleSdk({ root, directory }) {
  const types = await mkdtemp(path.join(tmpdir(), "lamina-types-"));
  const common = {
    config: false,
    tsconfig: false,
    cwd: path.join(root, "packages/sdk"),
    outDir: directory,
    clean: false,
    format: "esm",
    platform: "node",
    deps: { alwaysBundle: [/^@lamina\//] },
    logLevel: "warn",
  };
  try {
    await build({ ...common, entry: { index: "src/index.ts" }, target: "node24", dts: false, outExtensions: () => ({ js: ".mjs" }) });
    await run([path.join(root, "node_modules/.bin/tsc"), "-p", path.join(import.meta.dirname, "tsconfig.json"), "--outDir", types], {
      directory: root,
    });
    await nameFiles(types);
    await build({
      ...common,
      entry: { index: path.join(types, "sdk/src/index.d.ts") },
      dts: { dtsInput: true, emitDtsOnly: true, oxc: true },
      // A session is for `await using`, whose types a project need not have asked for.
      banner: { dts: '/// <reference lib="esnext.disposable" />' },
    });
  } finally {
    await rm(types, { recursive: true, force: true });
  }
}

/** Names the file that each import of ours means, so that no resolver takes the sources instead. */
async function nameFiles(types) {
  for await (const file of glob("**/*.d.ts", { cwd: types })) {
    const place = path.join(types, file);
    const ownIndex = (name) => path.relative(path.dirname(place), path.join(types, name, "src/index.d.ts"));
    const text = await readFile(place, "utf8");
    await writeFile(
      place,
      text.replaceAll(/"(\.{1,2}\/[^"]+)\.ts"/g, '"$1.d.ts"').replaceAll(/"@lamina\/([a-z]+)"/g, (_, name) => `"${ownIndex(name)}"`),
    );
  }
}
