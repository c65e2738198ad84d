#!/usr/bin/env node
/**
 * Starts the command line under Node 24: in this process where it is one, else under the pinned Node of the tool
 * chain, which is installed once per user. Plain JavaScript that older versions of Node read too.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const OLDEST_NODE = 24;
const UNAVAILABLE = 3;

if (Number(process.versions.node.split(".")[0]) >= OLDEST_NODE) {
  const bundle = new URL("../dist/main.mjs", import.meta.url);
  await import(existsSync(bundle) ? bundle.href : new URL("../src/main.ts", import.meta.url).href);
} else {
  process.exitCode = await runUnderPinnedNode().catch((error) => {
    console.error(`lamina needs Node ${OLDEST_NODE} or newer, and this is ${process.version}. ${error.message}`);
    return UNAVAILABLE;
  });
}

async function runUnderPinnedNode() {
  // The installed package has these where the checkout has them.
  const { cacheRoot } = await import("../../../infra/toolchain/cache.mjs");
  const { exec, signalChildren } = await import("../../../infra/toolchain/child.mjs");
  const { pinnedEnvironment } = await import("../../../infra/toolchain/pinned.mjs");
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  const environment = await pinnedEnvironment({ root, cache: cacheRoot() });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the child too, and there a second one means "at once".
      if (signal !== "SIGINT" || !process.stdin.isTTY) signalChildren(signal);
    });
  }
  return exec(["node", fileURLToPath(import.meta.url), ...process.argv.slice(2)], { directory: process.cwd(), environment });
}
