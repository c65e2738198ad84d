/** The servers that the environment names instead of own ones, and those that a platform was started with. */
import type { ExternalServers } from "../config.ts";
import type { PlatformRecord } from "./files.ts";

/** Where each is, without credentials. */
export function addressesOf({ postgres, nats, registry, buildkit }: ExternalServers): Record<string, string> {
  return {
    ...(postgres !== undefined && { postgres: `${new URL(postgres.url).host}${new URL(postgres.url).pathname}` }),
    ...(nats !== undefined && { nats: new URL(nats.url).host }),
    ...(registry !== undefined && { registry: registry.host }),
    ...(buildkit !== undefined && { buildkit: buildkit.address }),
  };
}

/** How the environment differs from what the platform that is up was started with; undefined when it does not. */
export function differenceOf({ external: used }: PlatformRecord, servers: ExternalServers): string | undefined {
  const named = addressesOf(servers);
  const differing = [...new Set([...Object.keys(used), ...Object.keys(named)])].filter((name) => used[name] !== named[name]);
  if (differing.length === 0) return undefined;
  const parts = differing.map((name) => `${name} ${used[name] ?? "of its own"}, and the environment names ${named[name] ?? "none"}`);
  return `The platform that is up uses ${parts.join("; ")}. \`lamina down\`, then \`lamina up\` starts it as the environment says.`;
}
