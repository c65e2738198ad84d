import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hash } from "bcryptjs";
import type { ServerContext } from "./context.ts";
import { LOOPBACK } from "./loopback.ts";
import { USER } from "./settings.ts";
import { supervise, type Supervised } from "./supervise.ts";

/** The password is random and long, so a low cost is as safe and spares 68 ms a request. */
const BCRYPT_COST = 4;

/** Starts the registry on loopback. Blobs and manifests can be deleted. */
export async function startRegistry(context: ServerContext): Promise<Supervised> {
  const directory = join(context.directory, "registry");
  const configuration = join(directory, "registry.json");
  const htpasswd = join(directory, "htpasswd");
  const password = context.settings.passwords.registry;
  const address = `${LOOPBACK}:${context.settings.ports.registry}`;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(htpasswd, `${USER}:${await hash(password, BCRYPT_COST)}\n`, { mode: 0o600 });
  // JSON is YAML, which is what the registry reads.
  await writeFile(
    configuration,
    JSON.stringify({
      version: "0.1",
      log: { level: "warn", accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(directory, "data") }, delete: { enabled: true } },
      http: { addr: address, secret: password },
      auth: { htpasswd: { realm: "lamina", path: htpasswd } },
    }),
    { mode: 0o600 },
  );
  return supervise({
    name: "registry",
    command: [join(context.binaries, "registry"), "serve", configuration],
    directory: context.directory,
    stop: { signal: "SIGTERM", graceSeconds: 10, isolated: false },
    isReady: async () => (await fetch(`http://${address}/v2/`, { headers: { authorization: basicAuthorization(USER, password) } })).ok,
    longestPauseMs: context.longestPauseMs,
    report: context.report,
  });
}

/** Where a registry answers. One on loopback speaks HTTP, every other one HTTPS. */
export function registryUrl(host: string): URL {
  return new URL(isLoopback(host) ? `http://${host}` : `https://${host}`);
}

function isLoopback(host: string): boolean {
  return /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?$/.test(host);
}

/** The value of an Authorization header. */
export function basicAuthorization(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}
