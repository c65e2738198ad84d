import { chmod, mkdir } from "node:fs/promises";
import { serverBinaries } from "./binaries.ts";
import { buildkitAddress, startBuildkit } from "./buildkit.ts";
import { containerdAddress, containerdTools, startContainerd } from "./containerd.ts";
import type { ServerContext } from "./context.ts";
import { natsAddress, startNats } from "./nats.ts";
import { claim } from "./owner.ts";
import { HERE, type Place } from "./place.ts";
import { postgresUrl, startPostgres } from "./postgres.ts";
import { type RegistryAddress, registryAddress, registryUrl, startRegistry } from "./registry.ts";
import { loadSettings } from "./settings.ts";
import type { Supervised } from "./supervise.ts";

/** Where the servers answer, and as whom. Plain data. */
export interface ServerAddresses {
  readonly postgres: { readonly url: string };
  readonly nats: { readonly url: string; readonly user: string; readonly password: string };
  readonly registry: RegistryAddress;
  readonly buildkit: { readonly address: string };
  /** `tools` is the directory of the \`ctr\` that runs containers. */
  readonly containerd: { readonly address: string; readonly tools: string };
  /** The directory of the clients: buildctl, ctr, crane. */
  readonly binaries: string;
}

/** Which server runs where; {@link HERE} when it is not said. */
export type Places = Partial<Record<"postgres" | "nats" | "registry" | "buildkit" | "containerd", Place>>;

export interface StartOptions {
  /** Data, logs, sockets and credentials of this set of servers; only its user can read it. */
  readonly directory: string;
  /** The root of the per-user cache that the servers are built into. */
  readonly cache: string;
  /** Servers that run already and are used instead of starting one. */
  readonly external?: Partial<Pick<ServerAddresses, "postgres" | "nats" | "registry" | "buildkit">>;
  readonly places?: Places;
  /** The pause before a server that died is started again grows to this. Default 15,000. */
  readonly longestPauseMs?: number;
  /** Told, a line at a time, when a server died and when it is back. */
  readonly report?: (line: string) => void;
  /** Told the name of each server when it is ready for the first time. */
  readonly ready?: (name: string) => void;
}

export interface EmbeddedServers extends ServerAddresses {
  /** Where their supervision is recorded, and each has its data in a folder of its name. */
  readonly directory: string;
  /** Ends all servers that were started, gracefully. Nothing of them is left but their data and logs. */
  stop(): Promise<void>;
}

/**
 * Starts the servers beside each other and resolves when all are ready. Leftovers of a supervisor that was
 * killed are ended first. Throws, with nothing left running, when one of them does not start.
 */
export async function startServers(options: StartOptions): Promise<EmbeddedServers> {
  const { directory, external = {} } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  const release = await claim(directory);
  try {
    const binaries = await serverBinaries(options.cache);
    const shared = {
      directory,
      binaries,
      settings: await loadSettings(directory),
      longestPauseMs: options.longestPauseMs,
      report: options.report ?? (() => undefined),
    };
    const of = (server: keyof Places): ServerContext => ({ ...shared, place: options.places?.[server] ?? HERE });
    const addresses: ServerAddresses = {
      postgres: { url: postgresUrl(of("postgres")) },
      nats: natsAddress(of("nats")),
      registry: registryAddress(of("registry")),
      buildkit: { address: buildkitAddress(directory) },
      containerd: {
        address: containerdAddress(directory),
        tools: await containerdTools(shared),
      },
      binaries,
      ...external,
    };
    const { registry } = addresses;
    const started = (name: string, start: Promise<Supervised>) =>
      start.then((server) => {
        options.ready?.(name);
        return server;
      });
    const running = await startAll([
      ...(external.postgres === undefined ? [started("postgres", startPostgres(of("postgres")))] : []),
      ...(external.nats === undefined ? [started("nats", startNats(of("nats")))] : []),
      ...(external.registry === undefined ? [started("registry", startRegistry(of("registry")))] : []),
      ...(external.buildkit === undefined ? [started("buildkitd", startBuildkit(of("buildkit"), registryUrl(registry)))] : []),
      started("containerd", startContainerd(of("containerd"))),
    ]);
    return {
      ...addresses,
      directory,
      async stop() {
        await stopAll(running);
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

async function startAll(starts: readonly Promise<Supervised>[]): Promise<readonly Supervised[]> {
  const results = await Promise.allSettled(starts);
  const running = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failures = results.flatMap((result): unknown[] => (result.status === "rejected" ? [result.reason] : []));
  if (failures.length === 0) return running;
  await stopAll(running);
  throw failures.length === 1 ? failures[0] : new AggregateError(failures, failures.map(String).join("\n"));
}

async function stopAll(running: readonly Supervised[]): Promise<void> {
  await Promise.all(running.map((server) => server.stop()));
}
