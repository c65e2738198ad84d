/** The credentials of registries in the form in which buildctl reads them, in no file that has a name. */
import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { Credentials } from "@lamina/registry";

/** By host, as references name it. */
export type RegistryCredentials = Readonly<Record<string, Credentials | undefined>>;

/** The descriptor by which buildctl inherits its configuration: it follows stdin, stdout and stderr. */
export const CONFIG_DESCRIPTOR = 3;

/** Makes a DOCKER_CONFIG directory whose `config.json` is what the process that reads it has open as {@link CONFIG_DESCRIPTOR}. */
export async function linkDockerConfig(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await symlink(`/dev/fd/${CONFIG_DESCRIPTOR}`, join(directory, "config.json"));
}

/** The content of `config.json`. */
export function dockerConfig(registries: RegistryCredentials): string {
  const auths: Record<string, { auth: string }> = {};
  for (const [host, credentials] of Object.entries(registries)) {
    if (credentials === undefined) continue;
    const auth = Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64");
    auths[host === DOCKER_HUB ? DOCKER_HUB_KEY : host] = { auth };
  }
  return JSON.stringify({ auths });
}

const DOCKER_HUB = "docker.io";
/** Under which Docker's tools have kept its credentials ever since. */
const DOCKER_HUB_KEY = "https://index.docker.io/v1/";
