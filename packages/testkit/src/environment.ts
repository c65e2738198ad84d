/** The variables by which our apps find the servers and each other. */
import { randomBytes } from "node:crypto";
import type { ServerAddresses } from "@lamina/servers";
import { freshNamespace } from "./namespace.ts";

/** What every process of a platform gets: NATS, the registry, and a namespace of the platform's own. */
export type SharedEnvironment = ReturnType<typeof sharedEnvironment>;

export function sharedEnvironment({ nats, registry }: Pick<ServerAddresses, "nats" | "registry">) {
  return {
    LAMINA_NATS_URL: nats.url,
    LAMINA_NATS_USER: nats.user,
    LAMINA_NATS_PASSWORD: nats.password,
    LAMINA_NAMESPACE: freshNamespace(),
    LAMINA_REGISTRY: registry.host,
    LAMINA_REGISTRY_USERNAME: registry.user,
    LAMINA_REGISTRY_PASSWORD: registry.password,
    LAMINA_REGISTRY_INSECURE: registry.insecure === undefined ? "" : String(registry.insecure),
  };
}

/** What a control plane gets, but for the address to listen on: repositories, tokens and a key of its own. */
export type ControlPlaneEnvironment = ReturnType<typeof controlPlaneEnvironment>;

export function controlPlaneEnvironment(shared: SharedEnvironment, databaseUrl: string) {
  return {
    ...shared,
    LAMINA_DATABASE_URL: databaseUrl,
    LAMINA_REPOSITORY: freshNamespace(),
    LAMINA_BASE_REGISTRY: `${shared.LAMINA_REGISTRY}/bases`,
    LAMINA_SECRET_KEY: randomBytes(32).toString("base64"),
    LAMINA_CLIENT_TOKEN: randomBytes(24).toString("base64url"),
    LAMINA_WORKER_TOKEN: randomBytes(24).toString("base64url"),
  };
}
