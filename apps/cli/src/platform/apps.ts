/** Our own processes as the supervisor starts them. */
import path from "node:path";
import { type ServerAddresses, type ServerProcess } from "@lamina/servers";
import type { Config } from "../config.ts";
import { appEntry, ownEntry } from "./entry.ts";
import type { Identity } from "./files.ts";

export interface AppsContext {
  readonly config: Config;
  readonly identity: Identity;
  readonly servers: ServerAddresses;
  /** Where the workers say how they are: host:port. */
  readonly health: { readonly builder: string; readonly runner: string };
  /** From source, and started again when it changes. */
  readonly watch: boolean;
  readonly report: (line: string) => void;
}

/** WebAssembly modules, by which migrations are applied, are experimental to Node. */
const NODE_OPTIONS = ["--enable-source-maps", "--disable-warning=ExperimentalWarning"];
const WATCH_OPTIONS = ["--watch", "--watch-preserve-output"];

/** Where the control plane listens, as a URL. */
export function platformUrl({ config, identity }: Pick<AppsContext, "config" | "identity">): string {
  return `http://${config.listen ?? `127.0.0.1:${identity.port}`}`;
}

export function controlPlane(context: AppsContext): ServerProcess {
  const { config, identity, servers } = context;
  const url = platformUrl(context);
  return app(context, "control-plane", {
    LAMINA_LISTEN: new URL(url).host,
    LAMINA_DATABASE_URL: servers.postgres.url,
    LAMINA_SECRET_KEY: identity.secretKey,
    LAMINA_CLIENT_TOKEN: identity.clientToken,
    LAMINA_WORKER_TOKEN: identity.workerToken,
    LAMINA_BASE_MAKER: JSON.stringify([process.execPath, ownEntry("make-base")]),
    LAMINA_CACHE: config.cache,
  });
}

export function builder(context: AppsContext): ServerProcess {
  const { config, servers } = context;
  return worker(context, "builder", {
    LAMINA_BUILDKIT: servers.buildkit.address,
    LAMINA_UV: config.cache,
    ...(config.caBundle !== undefined && { LAMINA_CA_BUNDLE: config.caBundle.file }),
  });
}

export function runner(context: AppsContext): ServerProcess {
  const { servers } = context;
  return worker(context, "runner", {
    LAMINA_CONTAINERD: servers.containerd.address,
    LAMINA_TOOLS: servers.containerd.tools,
    LAMINA_CONTAINERD_HOSTS: servers.containerd.hostsDirectory,
  });
}

/** A builder or runner. */
function worker(context: AppsContext, name: "builder" | "runner", environment: Readonly<Record<string, string>>): ServerProcess {
  const { config, identity, servers, health } = context;
  return app(context, name, {
    LAMINA_URL: platformUrl(context),
    LAMINA_TOKEN: identity.workerToken,
    LAMINA_TOOLS: servers.binaries,
    LAMINA_STATE: path.join(config.home, name),
    LAMINA_WORKER_NAME: name,
    LAMINA_HEALTH: health[name],
    ...environment,
  });
}

function app(
  context: AppsContext,
  name: "control-plane" | "builder" | "runner",
  environment: Readonly<Record<string, string>>,
): ServerProcess {
  const { config, servers, health, watch, report } = context;
  const readiness = name === "control-plane" ? new URL("/healthz", platformUrl(context)) : `http://${health[name]}/readyz`;
  return {
    name,
    command: [process.execPath, ...NODE_OPTIONS, ...(watch ? WATCH_OPTIONS : []), appEntry(name, watch ? "source" : "own kind")],
    directory: config.home,
    environment: {
      ...config.tuning,
      ...(config.caBundle !== undefined && { NODE_EXTRA_CA_CERTS: config.caBundle.file }),
      LAMINA_NATS_URL: servers.nats.url,
      LAMINA_NATS_USER: servers.nats.user,
      LAMINA_NATS_PASSWORD: servers.nats.password,
      LAMINA_REGISTRY: servers.registry.host,
      LAMINA_REGISTRY_USERNAME: servers.registry.user,
      LAMINA_REGISTRY_PASSWORD: servers.registry.password,
      ...environment,
    },
    stop: { signal: "SIGTERM", graceSeconds: 25, isolated: false },
    isReady: async () => (await fetch(readiness)).ok,
    report,
  };
}
