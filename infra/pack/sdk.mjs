import { mkdtemp, rm } from "node:fs/promises";
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
    await build({
      ...common,
      entry: { index: path.join(types, "sdk/src/index.d.ts") },
      plugins: [declarationsIn(types)],
      dts: { dtsInput: true, emitDtsOnly: true, oxc: true },
    });
  } finally {
    await rm(types, { recursive: true, force: true });
  }
}

/** Finds our own modules among what tsc wrote, where `./image.ts` is `image.d.ts`. */
function declarationsIn(types) {
  return {
    name: "own-declarations",
    resolveId(id, importer) {
      const [, own] = /^@lamina\/(.+)$/.exec(id) ?? [];
      if (own !== undefined) return path.join(types, own, "src/index.d.ts");
      if (id.startsWith(".") && importer?.startsWith(types)) return path.resolve(path.dirname(importer), id.replace(/\.ts$/, ".d.ts"));
      return undefined;
    },
  };
}
