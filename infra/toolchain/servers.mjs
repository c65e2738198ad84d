import { join } from "node:path";
import { exec } from "./child.mjs";

/** Builds the real servers and makes the default base where the cache does not have them; see prepare-servers.mjs. */
export async function prepareServers({ root, cache, environment }) {
  const program = join(root, "infra", "toolchain", "prepare-servers.mjs");
  const code = await exec(["node", program, cache], { directory: root, environment });
  if (code !== 0) throw new Error("The real servers could not be prepared.");
}
