/** Our own processes as the supervisor starts them. */
import path from "node:path";
import { cdiDirectories, type GpuClass, type ServerAddresses, type ServerProcess } from "@lamina/servers";
import type { Config } from "../config.ts";
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

/** WebAssembly modules, by which migrations are applied, are experimental to Node. */
const NODE_OPTIONS = ["--enable-source-maps", "--disable-warning=ExperimentalWarning"];
/**
 * Where large files pass through, the memory of their pieces is free again when young objects are collected, which is often when there is
 * little room for them.
 */
const FOR_FILES = ["--max-semi-space-size=2"];
const WATCH_OPTIONS = ["--watch", "--watch-preserve-output"];

/** Where the control plane listens, as a URL. */
export function platformUrl({ config, identity }: Pick<AppsContext, "config" | "identity">): string {
  return `http://${config.listen ?? `127.0.0.1:${identity.port}`}`;
}

export function controlPlane(context: AppsContext): ServerProcess {
  const { config, identity, servers } = context;
  const url = platformUrl(context);
  return app(
    context,
    { app: "control-plane", name: "control-plane", readiness: new URL("/healthz", url).href },
    {
      LAMINA_LISTEN: new URL(url).host,
      LAMINA_DATABASE_URL: servers.postgres.url,
      LAMINA_SECRET_KEY: identity.secretKey,
      LAMINA_CLIENT_TOKEN: identity.clientToken,
      LAMINA_WORKER_TOKEN: identity.workerToken,
      LAMINA_BASE_MAKER: JSON.stringify([process.execPath, ownEntry("make-base")]),
      LAMINA_CACHE: config.cache,
    },
  );
}

/**
 * @param health where it says how it is: host:port
 * @param gpus those of its pool, which attempts have one after the other; without them its steps have none
 */
export function builder(context: AppsContext, health: string, gpus?: GpuClass): ServerProcess {
  const { config, servers } = context;
  const name = gpus === undefined ? "builder" : `builder-${gpus.name.toLowerCase()}`;
  return worker(
    context,
    { app: "builder", name, health },
    {
      LAMINA_BUILDKIT: servers.buildkit.address,
      LAMINA_UV: config.cache,
      ...(gpus !== undefined && { LAMINA_POOL: gpus.name, LAMINA_GPUS: gpus.devices.join(","), LAMINA_CONCURRENCY: "1" }),
      ...(config.caBundle !== undefined && { LAMINA_CA_BUNDLE: config.caBundle.file }),
    },
  );
}

/**
 * @param health where it says how it is: host:port
 * @param gpus those of its pool, of which each belongs to one container of a function at a time
 */
export function runner(context: AppsContext, health: string, gpus?: GpuClass): ServerProcess {
  const { config, servers } = context;
  return worker(
    context,
    { app: "runner", name: gpus === undefined ? "runner" : `runner-${gpus.name.toLowerCase()}`, health },
    {
      LAMINA_CONTAINERD: servers.containerd.address,
      LAMINA_TOOLS: servers.containerd.tools,
      ...(gpus !== undefined && {
        LAMINA_POOL: gpus.name,
        LAMINA_GPUS: gpus.devices.join(","),
        LAMINA_CDI: cdiDirectories(config.home).join(":"),
      }),
      ...(config.caBundle !== undefined && { LAMINA_CA_BUNDLE: config.caBundle.file }),
    },
  );
}

interface Worker {
  readonly app: "builder" | "runner";
  /** Of the process, and of its directory in the home. */
  readonly name: string;
  readonly health: string;
}

function worker(context: AppsContext, { app: entry, name, health }: Worker, environment: Readonly<Record<string, string>>): ServerProcess {
  const { config, identity, servers } = context;
  return app(
    context,
    { app: entry, name, readiness: `http://${health}/readyz` },
    {
      LAMINA_URL: platformUrl(context),
      LAMINA_TOKEN: identity.workerToken,
      LAMINA_TOOLS: servers.binaries,
      LAMINA_STATE: path.join(config.home, name),
      LAMINA_WORKER_NAME: name,
      LAMINA_HEALTH: health,
      ...environment,
    },
  );
}

interface App {
  readonly app: "control-plane" | "builder" | "runner";
  readonly name: string;
  readonly readiness: string;
}

/** What runs an app. */
function nodeFor(entry: App["app"], watch: boolean): readonly string[] {
  return [process.execPath, ...NODE_OPTIONS, ...(entry === "runner" ? [] : FOR_FILES), ...(watch ? WATCH_OPTIONS : [])];
}

function app(context: AppsContext, { app: entry, name, readiness }: App, environment: Readonly<Record<string, string>>): ServerProcess {
  const { config, servers, watch, report } = context;
  return {
    name,
    command: [...nodeFor(entry, watch), appEntry(entry, watch ? "source" : "own kind")],
    directory: config.home,
    environment: {
      // Of what threads of a process have given back, less is kept where they share its places.
      MALLOC_ARENA_MAX: "2",
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
