import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface RegistryAccess {
  readonly host: string;
  readonly insecure: boolean;
  readonly credentials: { readonly username: string; readonly password: string } | undefined;
}

/**
 * Writes a directory for `ctr image pull --hosts-dir` that says how a registry is reached and the basic credentials that it wants, so that
 * they are in no argument and no environment. Only this user can read it.
 */
export async function writeRegistryHosts(directory: string, { host, insecure, credentials }: RegistryAccess): Promise<void> {
  const server = JSON.stringify(`${insecure ? "http" : "https"}://${host}`);
  const lines = [`server = ${server}`, `[host.${server}]`, `capabilities = ["pull", "resolve"]`];
  if (credentials !== undefined) {
    const encoded = Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64");
    lines.push(`[host.${server}.header]`, `Authorization = "Basic ${encoded}"`);
  }
  await rm(directory, { recursive: true, force: true });
  await mkdir(join(directory, host), { recursive: true, mode: 0o700 });
  await writeFile(join(directory, host, "hosts.toml"), `${lines.join("\n")}\n`, { mode: 0o600 });
}
