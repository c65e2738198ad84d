/**
 * `node infra/toolchain/run.mjs start|test|check|dev|pack|bench [arguments]`, for the machine's own Node (20 or newer):
 * brings what the verb needs and then runs it under the pinned Node. No dependencies.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheRoot, removeAbandoned } from "./cache.mjs";
import { endChildren, exec, exitCodeOf, signalChildren } from "./child.mjs";
import { installPackages } from "./packages.mjs";
import { pinnedEnvironment } from "./pinned.mjs";
import { prepareServers } from "./servers.mjs";
import { step } from "./step.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

const VERBS = {
  start: { servers: true, build: true, command: () => ["node", builtOrSource("apps/cli"), "quickstart"] },
  test: { servers: true, build: true, command: () => ["vitest", "run", "--config", "infra/vitest.config.ts"] },
  check: { servers: false, build: false, command: () => ["node", "infra/check.mjs"] },
  dev: { servers: true, build: false, command: () => ["node", "apps/cli/src/main.ts", "dev"] },
  pack: { servers: false, build: false, command: () => ["node", "infra/pack/pack.mjs"] },
  bench: { servers: true, build: true, command: () => ["node", "infra/bench/main.ts"] },
};

const [name = "", ...args] = process.argv.slice(2);
const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
if (verb === undefined) {
  console.error(`usage: run.mjs ${Object.keys(VERBS).join("|")} [arguments]`);
  process.exit(2);
}

let preparing = true;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => onSignal(signal));

try {
  const environment = await prepare(verb);
  preparing = false;
  process.exitCode = await exec([...verb.command(), ...args], { directory: root, environment });
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  endChildren();
  process.exit(3);
}

function onSignal(signal) {
  if (preparing) {
    endChildren();
    process.exit(exitCodeOf(signal));
  }
  // A terminal sends Ctrl-C to the verb too, and twice means "at once" to many programs.
  if (signal !== "SIGINT" || !process.stdin.isTTY) signalChildren(signal);
}

/** Brings the tool chain, the packages and the servers, independent ones at once; returns the environment to run the verb in. */
async function prepare({ servers, build }) {
  const cache = cacheRoot();
  await removeAbandoned(cache);
  const environment = await pinnedEnvironment({ root, cache });
  const packages = installPackages({ root, environment }).then(() =>
    build ? step("Building our packages", "some seconds", { command: ["turbo", "run", "build"], directory: root, environment }) : undefined,
  );
  await Promise.all([packages, servers ? prepareServers({ root, cache, environment }) : undefined]);
  return environment;
}

function builtOrSource(app) {
  const built = `${app}/dist/main.mjs`;
  return existsSync(join(root, built)) ? built : `${app}/src/main.ts`;
}
