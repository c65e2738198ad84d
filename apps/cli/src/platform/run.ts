/** The embedded platform, from start to stop, in the process that supervises it. */
import { createServer } from "node:net";
import { gpuClasses, identify, startServers, supervise, type ServerAddresses, type Supervised } from "@lamina/servers";
import getPort from "get-port";
import type { Config } from "../config.ts";
import { type AppsContext, builder, controlPlane, platformUrl, runner } from "./apps.ts";
import { releaseOfApps, stampOfApps } from "./entry.ts";
import { addressesOf } from "./external.ts";
import {
  loadIdentity,
  makeHome,
  type Part,
  removePlatform,
  removeRecords,
  type SupervisorRecord,
  writePlatform,
  writeSupervisor,
} from "./files.ts";

const LOOPBACK = "127.0.0.1";

export interface RunOptions {
  readonly config: Config;
  readonly watch: boolean;
  /** Told, a line at a time, what happens to the parts. */
  readonly report: (line: string) => void;
  /** Aborted when the platform is to stop. */
  readonly signal: AbortSignal;
}

/**
 * Runs the platform until the signal is aborted, then stops all of it; only one process may do so for a
 * home. Records of its state are kept for others to read. Throws when a part cannot be started; nothing
 * of it runs then, and the record says why.
 */
export async function runPlatform(options: RunOptions): Promise<void> {
  const { config, signal } = options;
  await makeHome(config.home);
  await removePlatform(config.home);
  const record = await recordKeeper(config);
  const running: { stop(): Promise<void> }[] = [];
  // Nothing may keep the parts from being stopped, not even a disk that is full.
  const tolerant = (done: Promise<unknown>): Promise<unknown> => done.catch((error: unknown) => options.report(String(error)));
  const stopAll = async () => {
    await tolerant(record.change({ state: "stopping" }));
    await tolerant(removePlatform(config.home));
    for (const part of running.toReversed()) await tolerant(part.stop());
  };
  try {
    await startAll(options, { record, running });
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    await stopAll();
    await removeRecords(config.home);
  } catch (error) {
    await stopAll();
    await tolerant(record.change({ state: "failed", problem: error instanceof Error ? error.message : String(error) }));
    throw error;
  }
}

interface Starting {
  readonly record: RecordKeeper;
  /** What must be stopped, in the order in which it was started. */
  readonly running: { stop(): Promise<void> }[];
}

async function startAll({ config, watch, report, signal }: RunOptions, { record, running }: Starting): Promise<void> {
  await requireFree(config.listen);
  for (const name of embeddedNames(config)) record.starting(name);
  const servers = await startServers({
    directory: config.home,
    cache: config.cache,
    external: config.external,
    report,
    ready: (name) => record.ready(name),
  });
  running.push(servers);
  const identity = await loadIdentity(config.home, (before) => getPort({ host: LOOPBACK, ...(before !== undefined && { port: before }) }));
  const context: AppsContext = { config, identity, servers, watch, report };
  const start = async (process: ReturnType<typeof builder>): Promise<Supervised> => {
    record.starting(process.name);
    const started = await supervise(process);
    running.push(started);
    record.ready(process.name);
    return started;
  };
  if (signal.aborted) return;
  await start(controlPlane(context));
  if (signal.aborted) return;
  const classes = await gpuClasses({ binaries: servers.binaries, address: servers.buildkit.address });
  const workers = [builder(context, await freeAddress()), runner(context, await freeAddress())];
  for (const gpus of classes) workers.push(builder(context, await freeAddress(), gpus), runner(context, await freeAddress(), gpus));
  await allOrFirstError(workers.map(start));
  if (signal.aborted) return;
  const self = record.current();
  await writePlatform(config.home, {
    url: platformUrl(context),
    token: identity.clientToken,
    pid: self.pid,
    startedAt: self.startedAt,
    since: new Date().toISOString(),
    release: watch ? undefined : releaseOfApps(),
    stamp: watch ? undefined : stampOfApps(),
    addresses: addressesForPeople(servers, platformUrl(context)),
    external: addressesOf(config.external),
    binaries: servers.binaries,
  });
  await record.change({ state: "ready" });
  report(`The platform is up at ${platformUrl(context)}`);
}

/** Whoever listens there would answer in the control plane's name, and be taken for it. Other faults the control plane tells itself. */
async function requireFree(listen: string | undefined): Promise<void> {
  const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(listen ?? "") ?? [];
  if (host === undefined || port === undefined) return;
  const server = createServer();
  const fault = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    server.once("error", resolve).listen({ host, port: Number(port) }, () => resolve(undefined));
  });
  if (fault === undefined) await new Promise((resolve) => server.close(resolve));
  if (fault?.code === "EADDRINUSE") throw new Error(`LAMINA_LISTEN names ${listen}, where another program listens already.`);
}

async function freeAddress(): Promise<string> {
  return `${LOOPBACK}:${await getPort({ host: LOOPBACK })}`;
}

/** The names of the servers that are started here, as they are reported. */
function embeddedNames({ external }: Config): string[] {
  return [
    ...(external.postgres === undefined ? ["postgres"] : []),
    ...(external.nats === undefined ? ["nats"] : []),
    ...(external.registry === undefined ? ["registry"] : []),
    ...(external.buildkit === undefined ? ["buildkitd"] : []),
    "containerd",
  ];
}

/** Waits for all, so that what was started is known and can be stopped. */
async function allOrFirstError(starts: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(starts)).find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** Without credentials. */
function addressesForPeople(servers: ServerAddresses, url: string): Record<string, string> {
  const postgres = new URL(servers.postgres.url);
  return {
    "control-plane": url,
    postgres: `${postgres.host}${postgres.pathname}`,
    nats: servers.nats.url,
    registry: servers.registry.host,
    buildkit: servers.buildkit.address,
    containerd: servers.containerd.address,
  };
}

type RecordKeeper = Awaited<ReturnType<typeof recordKeeper>>;

/** Keeps the supervisor's record on disk, one write after the other. */
async function recordKeeper({ home }: Config) {
  const self = await identify(process.pid);
  if (self === undefined) throw new Error("This process is not in /proc: the platform needs Linux.");
  const begun = new Map<string, number>();
  let record: SupervisorRecord = { ...self, since: new Date().toISOString(), state: "starting", parts: [] };
  let written = Promise.resolve();
  const change = (changes: Partial<SupervisorRecord>): Promise<void> => {
    record = { ...record, ...changes };
    const toWrite = record;
    // What could not be written before is no reason not to write what is newer.
    written = written.catch(() => undefined).then(() => writeSupervisor(home, toWrite));
    return written;
  };
  const setPart = (part: Part) =>
    // For people who watch; that the platform is up is written by itself.
    void change({ parts: [...record.parts.filter(({ name }) => name !== part.name), part] }).catch(() => undefined);
  await change({});
  return {
    change,
    current: () => record,
    starting(name: string) {
      begun.set(name, performance.now());
      setPart({ name, state: "starting" });
    },
    ready(name: string) {
      setPart({ name, state: "ready", tookMs: performance.now() - (begun.get(name) ?? performance.now()) });
    },
  };
}
