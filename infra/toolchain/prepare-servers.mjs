/**
 * `node prepare-servers.mjs CACHE`, under the pinned Node: looks for what the machine has to bring, then fills the
 * cache with what takes minutes to make (the real servers, the base and the uv of the default builder version), all
 * at once. It needs no installed package, so it runs beside their installation. Silent when all is there.
 */
import { builderVersion, DEFAULT_BUILDER_VERSION } from "../../packages/ir/src/builder-version.ts";
import { cachedBase } from "../../packages/servers/src/base-image.ts";
import { serverBinaries } from "../../packages/servers/src/binaries.ts";
import { uvBinary } from "../../packages/servers/src/uv.ts";
import { provideRequirements } from "./requirements.mjs";
import { watched } from "./step.mjs";

const [cache] = process.argv.slice(2);
const { uv, defaultPython } = builderVersion(DEFAULT_BUILDER_VERSION);

let saidSomething = false;
const report = (line) => {
  saidSomething = true;
  console.error(`… ${line}`);
};

// What runs below is ended too, and then each half-made thing is removed on the way out.
let ending = false;
process.on("SIGTERM", () => (ending = true));

const what = "Preparing the real servers";
try {
  await provideRequirements({ cache, python: defaultPython, uv });
  const seconds = await watched(what, () =>
    Promise.all([serverBinaries(cache, report), cachedBase({ cache, python: defaultPython, report }), uvBinary({ cache, version: uv })]),
  );
  if (saidSomething) console.error(`✓ ${what}: ${seconds} s`);
} catch (error) {
  if (!ending) console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
