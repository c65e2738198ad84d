import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hash } from "bcryptjs";
import type { ServerContext } from "./context.ts";
import { USER } from "./settings.ts";
import { supervise, type Supervised } from "./supervise.ts";

/** The password is random and long, so a low cost is as safe and spares 68 ms a request. */
const BCRYPT_COST = 4;

/** How a registry is reached, and by whom. */
export interface RegistryAddress {
  /** host:port */
  readonly host: string;
  readonly user: string;
  readonly password: string;
  /** Whether it speaks HTTP, not HTTPS. When nobody says, one on loopback does. */
  readonly insecure?: boolean | undefined;
}

/** Where the registry answers. It speaks HTTP wherever it is. */
export function registryAddress({ place, settings }: ServerContext): RegistryAddress {
  return { host: `${place.address}:${settings.ports.registry}`, user: USER, password: settings.passwords.registry, insecure: true };
}

/** Starts the registry. Blobs and manifests can be deleted. */
export async function startRegistry(context: ServerContext): Promise<Supervised> {
  const directory = join(context.directory, "registry");
  const configuration = join(directory, "registry.json");
  const htpasswd = join(directory, "htpasswd");
  const address = registryAddress(context);
  const { host, password } = address;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(htpasswd, `${USER}:${await hash(password, BCRYPT_COST)}\n`, { mode: 0o600 });
  // JSON is YAML, which is what the registry reads.
  await writeFile(
    configuration,
    JSON.stringify({
      version: "0.1",
      log: { level: "warn", accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(directory, "data") }, delete: { enabled: true } },
      http: { addr: host, secret: password },
      auth: { htpasswd: { realm: "lamina", path: htpasswd } },
    }),
    { mode: 0o600 },
  );
  return supervise({
    name: "registry",
    command: [...context.place.enter, join(context.binaries, "registry"), "serve", configuration],
    directory: context.directory,
    stop: { signal: "SIGTERM", graceSeconds: 10, isolated: false },
    isReady: async () =>
      (await fetch(new URL("/v2/", registryUrl(address)), { headers: { authorization: basicAuthorization(USER, password) } })).ok,
    longestPauseMs: context.longestPauseMs,
    report: context.report,
  });
}

/** Where a registry answers. */
export function registryUrl({ host, insecure = isLoopback(host) }: Pick<RegistryAddress, "host" | "insecure">): URL {
  return new URL(`${insecure ? "http" : "https"}://${host}`);
}

function isLoopback(host: string): boolean {
  return /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?$/.test(host);
}

/** The value of an Authorization header. */
export function basicAuthorization(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}
