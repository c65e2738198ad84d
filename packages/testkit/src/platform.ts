/** A whole platform of our own apps, as processes, on top of the servers of the test run or of others. */
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { claim, HERE, type Place, type ServerAddresses, type ServerProcess, supervise, type Supervised } from "@lamina/servers";
import getPort from "get-port";
import { commandOf } from "./app.ts";
import { servers, uv } from "./client.ts";
import { freshDatabase } from "./database.ts";
import { controlPlaneEnvironment, sharedEnvironment } from "./environment.ts";
import { LONGEST_PAUSE_MS } from "./own-servers.ts";
import { platformDirectory } from "./platform-directory.ts";

export interface PlatformOptions {
  /** The version of uv that the builder version in use pins. */
  readonly uv: string;
  /** The prefix in the registry; its own by default. Platforms that share it share the layers of a workspace. */
  readonly repository?: string;
  /** What it runs on; the servers of the test run by default. */
  readonly servers?: ServerAddresses;
  /** Its builders by name, each with variables of its own; one, `builder`, by default. */
  readonly builders?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Whether it has a runner; it has by default. */
  readonly runner?: boolean;
  /** Further runners by name, each with variables of its own, such as those of a pool with GPUs. */
  readonly runners?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Its processes that are not to be on this machine's loopback, by name. */
  readonly places?: Readonly<Record<string, Place>>;
  /** What it is to lie in; it goes with the platform. A new one by default. */
  readonly directory?: string;
  /** Variables for all of its processes. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Told when a process died and when it is back; written to stderr by default. */
  readonly report?: (line: string) => void;
}

export interface TestPlatform extends AsyncDisposable {
  readonly url: string;
  readonly clientToken: string;
  readonly workerToken: string;
  /** The prefix of its repositories in the registry. */
  readonly repository: string;
  /** What the names of its streams begin with. */
  readonly namespace: string;
  readonly databaseUrl: string;
  /** The names of its builders; the other processes are `control-plane` and `runner`. */
  readonly builders: readonly string[];
  /** A directory of its own: `logs/`, the state of each worker under its name, and the records of supervision. */
  readonly directory: string;
}

/**
 * Starts a control plane, builders and a runner, each supervised, with a database and a namespace of
 * their own. Disposing the platform ends them and removes what is theirs.
 */
export async function testPlatform(options: PlatformOptions): Promise<TestPlatform> {
  const owned = new AsyncDisposableStack();
  try {
    return { ...(await start(options, owned)), [Symbol.asyncDispose]: () => owned.disposeAsync() };
  } catch (error) {
    await owned.disposeAsync();
    throw error;
  }
}

async function start(options: PlatformOptions, owned: AsyncDisposableStack): Promise<Omit<TestPlatform, typeof Symbol.asyncDispose>> {
  const { builders = { builder: {} }, report = (line) => process.stderr.write(`${line}\n`) } = options;
  const addresses = options.servers ?? (await servers());
  const database = owned.use(await freshDatabase(addresses.postgres));
  const directory = options.directory ?? (await platformDirectory());
  owned.defer(() => rm(directory, { recursive: true, force: true }));
  // So that the next run ends what a killed one left.
  owned.defer(await claim(directory));

  const placeOf = (name: string): Place => options.places?.[name] ?? HERE;
  const listen = await freeAddress(placeOf("control-plane"));
  const shared = { ...sharedEnvironment(addresses), ...options.environment };
  const own = controlPlaneEnvironment(shared, database.url);
  const repository = options.repository ?? own.LAMINA_REPOSITORY;
  const controlPlane = await startApp({
    app: "control-plane",
    name: "control-plane",
    place: placeOf("control-plane"),
    health: `${listen}/healthz`,
    directory,
    environment: {
      ...own,
      ...options.environment,
      LAMINA_LISTEN: listen,
      LAMINA_REPOSITORY: repository,
    },
    report,
  });
  owned.defer(() => controlPlane.stop());
  const environment = {
    ...shared,
    LAMINA_URL: `http://${listen}`,
    LAMINA_TOKEN: own.LAMINA_WORKER_TOKEN,
    LAMINA_TOOLS: addresses.binaries,
  };
  const builderEnvironment = Object.keys(builders).length === 0 ? {} : await environmentOfBuilders(addresses, options.uv);
  const workers: readonly Worker[] = [
    ...Object.entries(builders).map(([name, own]) => ({
      app: "builder",
      name,
      place: placeOf(name),
      environment: { ...builderEnvironment, ...own },
    })),
    ...Object.entries({ ...(options.runner === false ? {} : { runner: {} }), ...options.runners }).map(([name, own]) => ({
      app: "runner",
      name,
      place: placeOf(name),
      environment: { ...environmentOfRunner(addresses), ...own },
    })),
  ];
  const started = await Promise.allSettled(workers.map((worker) => startWorker(worker, { directory, environment, report })));
  for (const worker of started) if (worker.status === "fulfilled") owned.defer(() => worker.value.stop());
  for (const worker of started) if (worker.status === "rejected") throw worker.reason;
  return {
    url: `http://${listen}`,
    clientToken: own.LAMINA_CLIENT_TOKEN,
    workerToken: own.LAMINA_WORKER_TOKEN,
    repository,
    namespace: shared.LAMINA_NAMESPACE,
    databaseUrl: database.url,
    builders: Object.keys(builders),
    directory,
  };
}

async function environmentOfBuilders({ buildkit }: ServerAddresses, uvVersion: string): Promise<Record<string, string>> {
  return {
    LAMINA_BUILDKIT: buildkit.address,
    LAMINA_UV: path.dirname(path.dirname(await uv(uvVersion))),
    LAMINA_CA_BUNDLE: process.env["SSL_CERT_FILE"] ?? "",
  };
}

function environmentOfRunner({ containerd }: ServerAddresses): Record<string, string> {
  return {
    LAMINA_CONTAINERD: containerd.address,
    LAMINA_TOOLS: containerd.tools,
    LAMINA_CA_BUNDLE: process.env["SSL_CERT_FILE"] ?? "",
  };
}

interface Worker {
  readonly app: string;
  readonly name: string;
  readonly place: Place;
  readonly environment: Readonly<Record<string, string>>;
}

type Surroundings = Pick<ServerProcess, "directory" | "report"> & { readonly environment: Readonly<Record<string, string>> };

async function startWorker({ app, name, place, environment }: Worker, surroundings: Surroundings): Promise<Supervised> {
  const { directory, report } = surroundings;
  const health = await freeAddress(place);
  const state = path.join(directory, name);
  await mkdir(state, { recursive: true, mode: 0o700 });
  return startApp({
    app,
    name,
    place,
    health: `${health}/readyz`,
    directory,
    environment: { ...surroundings.environment, LAMINA_HEALTH: health, LAMINA_STATE: state, LAMINA_WORKER_NAME: name, ...environment },
    report,
  });
}

interface App extends Worker, Surroundings {
  /** Where it answers when it is ready. */
  readonly health: string;
}

function startApp({ app, name, place, health, directory, environment, report }: App): Promise<Supervised> {
  return supervise({
    name,
    command: [...place.enter, ...commandOf(app)],
    directory,
    environment,
    stop: { signal: "SIGTERM", graceSeconds: 10, isolated: false },
    longestPauseMs: LONGEST_PAUSE_MS,
    isReady: async () => (await fetch(`http://${health}`)).ok,
    report,
  });
}

/** A port that is free on this machine is so in a network where nothing listens yet. */
async function freeAddress({ address }: Place): Promise<string> {
  return `${address}:${await getPort({ host: HERE.address })}`;
}
