/**
 * The bundle of an app, for `tsdown --config ../../infra/tsdown.config.mjs` in its folder. What its package.json
 * names as an npm dependency stays outside, but for those under `lamina.bundled`, which every start would read file
 * by file; everything else, our own packages first, goes in.
 */
import { readFileSync } from "node:fs";

const { name, lamina = {} } = JSON.parse(readFileSync("package.json", "utf8"));

export default {
  name,
  cwd: process.cwd(),
  entry: lamina.entries ?? ["src/main.ts"],
  format: "esm",
  platform: "node",
  target: "node24",
  outDir: "dist",
  outExtensions: () => ({ js: ".mjs" }),
  sourcemap: true,
  dts: false,
  // `dist/types` is the type checker's.
  clean: ["dist/*.mjs", "dist/*.map"],
  deps: { alwaysBundle: [/^@lamina\//, "lamina", ...(lamina.bundled ?? [])] },
  // A schema that nobody uses is left out: making one has no effect, and takes time at every start.
  treeshake: { manualPureFunctions: ["z"] },
  logLevel: "warn",
};
