/** The registry's credentials in the form in which buildctl reads them. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Credentials } from "@lamina/registry";

/** Writes a DOCKER_CONFIG directory that only its user can read. */
export async function writeDockerConfig(directory: string, registries: Readonly<Record<string, Credentials | undefined>>): Promise<void> {
  const auths: Record<string, { auth: string }> = {};
  for (const [host, credentials] of Object.entries(registries)) {
    if (credentials === undefined) continue;
    auths[host] = { auth: Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64") };
  }
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(join(directory, "config.json"), JSON.stringify({ auths }), { mode: 0o600 });
}
