/** Our own processes as the supervisor starts them. */
import path from "node:path";
import { type ServerAddresses, type ServerProcess } from "@lamina/servers";
import type { Config } from "../config.ts";
import { connect } from "lamina";
import { appEntry, ownEntry } from "./entry.ts";
import type { Identity } from "./files.ts";

export interface AppsContext {
  readonly config: Config;
  readonly identity: Identity;
  readonly servers: ServerAddresses;
  /** From source, and started again when it changes. */
  readonly watch: boolean;
  readonly report: (line: string) => void;
}

/** Where the control plane listens, as a URL. */
export function platformUrl({ config, identity }: Pick<AppsContext, "config" | "identity">): string {
  return `http://${config.listen ?? `127.0.0.1:${identity.port}`}`;
}

export function controlPlane(context: AppsContext): ServerProcess {
  const { config, identity, servers } = context;
  const url = platformUrl(context);
  return app(context, "control-plane", {
    isReady: async () => (await fetch(new URL("/healthz", url))).ok,
    environment: {
      LAMINA_LISTEN: new URL(url).host,
      LAMINA_DATABASE_URL: servers.postgres.url,
      LAMINA_SECRET_KEY: identity.secretKey,
      LAMINA_CLIENT_TOKEN: identity.clientToken,
      LAMINA_WORKER_TOKEN: identity.workerToken,
      LAMINA_BASE_MAKER: JSON.stringify([process.execPath, ownEntry("make-base")]),
      LAMINA_CACHE: config.cache,
    },
  });
}

export function builder(context: AppsContext): ServerProcess {
  const { config, servers } = context;
  return worker(context, "builder", {
    LAMINA_BUILDKIT: servers.buildkit.address,
    LAMINA_STATE: path.join(config.home, "builder"),
    LAMINA_UV: config.cache,
    ...(config.caBundle !== undefined && { LAMINA_CA_BUNDLE: config.caBundle.file }),
  });
}

export function runner(context: AppsContext): ServerProcess {
  const { servers } = context;
  return worker(context, "runner", {
    LAMINA_CONTAINERD: servers.containerd.address,
    LAMINA_CONTAINERD_HOSTS: servers.containerd.hostsDirectory,
  });
}

/** A builder or runner. It is ready when the control plane has heard of it under the name of this start. */
function worker(context: AppsContext, name: "builder" | "runner", environment: Readonly<Record<string, string>>): ServerProcess {
  const { identity, servers } = context;
  const url = platformUrl(context);
  const workerName = `${name}-${process.pid}`;
  const client = connect({ url, token: identity.clientToken });
  return app(context, name, {
    isReady: async () => (await (await client).platform.info()).workers.some((known) => known.name === workerName),
    environment: {
      LAMINA_URL: url,
      LAMINA_TOKEN: identity.workerToken,
      LAMINA_TOOLS: servers.binaries,
      LAMINA_WORKER_NAME: workerName,
      ...environment,
    },
  });
}

function app(
  { config, servers, watch, report }: AppsContext,
  name: "control-plane" | "builder" | "runner",
  { isReady, environment }: Pick<ServerProcess, "isReady"> & { readonly environment: Readonly<Record<string, string>> },
): ServerProcess {
  return {
    name,
    command: watch
      ? [process.execPath, "--watch", "--watch-preserve-output", appEntry(name, "source")]
      : [process.execPath, "--enable-source-maps", appEntry(name)],
    directory: config.home,
    environment: {
      LAMINA_NATS_URL: servers.nats.url,
      LAMINA_NATS_USER: servers.nats.user,
      LAMINA_NATS_PASSWORD: servers.nats.password,
      LAMINA_REGISTRY: servers.registry.host,
      LAMINA_REGISTRY_USERNAME: servers.registry.user,
      LAMINA_REGISTRY_PASSWORD: servers.registry.password,
      ...environment,
    },
    stop: { signal: "SIGTERM", graceSeconds: 25, isolated: false },
    isReady,
    report,
  };
}
