/** A whole platform of our own apps, as processes, on top of the servers of the test run. */
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type ServerAddresses, type ServerProcess, supervise, type Supervised } from "@lamina/servers";
import getPort from "get-port";
import { servers, uv } from "./client.ts";
import { freshDatabase } from "./database.ts";
import { freshNamespace } from "./namespace.ts";

const LOOPBACK = "127.0.0.1";
const APPS = path.resolve(import.meta.dirname, "../../../apps");

export interface PlatformOptions {
  /** The version of uv that the builder version in use pins. */
  readonly uv: string;
  /** The prefix in the registry; its own by default. Platforms that share it share the layers of a workspace. */
  readonly repository?: string;
}

export interface TestPlatform extends AsyncDisposable {
  readonly url: string;
  readonly clientToken: string;
  readonly workerToken: string;
  /** The prefix of its repositories in the registry. */
  readonly repository: string;
  readonly databaseUrl: string;
  /** A directory of its own, with `logs/`. */
  readonly directory: string;
}

/**
 * Starts a control plane, a builder and a runner, each supervised, with a database and a namespace of
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
  const addresses = await servers();
  const database = owned.use(await freshDatabase());
  const directory = await mkdtemp(path.join(tmpdir(), "lamina-platform-"));
  owned.defer(() => rm(directory, { recursive: true, force: true }));

  const { repository = freshNamespace() } = options;
  const tokens = { client: randomBytes(24).toString("base64url"), worker: randomBytes(24).toString("base64url") };
  const listen = `${LOOPBACK}:${await getPort({ host: LOOPBACK })}`;
  const shared = sharedEnvironment(addresses);
  const controlPlane = await startApp("control-plane", `${listen}/healthz`, {
    directory,
    environment: {
      ...shared,
      LAMINA_LISTEN: listen,
      LAMINA_DATABASE_URL: database.url,
      LAMINA_REPOSITORY: repository,
      LAMINA_BASE_REGISTRY: `${addresses.registry.host}/bases`,
      LAMINA_SECRET_KEY: randomBytes(32).toString("base64"),
      LAMINA_CLIENT_TOKEN: tokens.client,
      LAMINA_WORKER_TOKEN: tokens.worker,
    },
  });
  owned.defer(() => controlPlane.stop());
  const environment = { ...shared, LAMINA_URL: `http://${listen}`, LAMINA_TOKEN: tokens.worker };
  for (const worker of await startWorkers(addresses, { directory, environment, uvVersion: options.uv })) owned.defer(() => worker.stop());
  return {
    url: `http://${listen}`,
    clientToken: tokens.client,
    workerToken: tokens.worker,
    repository,
    databaseUrl: database.url,
    directory,
  };
}

interface Surroundings {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
}

async function startWorkers(
  addresses: ServerAddresses,
  surroundings: Surroundings & { readonly uvVersion: string },
): Promise<Supervised[]> {
  const { directory, environment, uvVersion } = surroundings;
  const uvDirectory = path.dirname(path.dirname(await uv(uvVersion)));
  const state = (name: string) => path.join(directory, name);
  await Promise.all(["builder", "runner"].map((name) => mkdir(state(name), { recursive: true, mode: 0o700 })));
  const worker = async (name: string, variables: Record<string, string>) => {
    const health = `${LOOPBACK}:${await getPort({ host: LOOPBACK })}`;
    return startApp(name, `${health}/readyz`, {
      directory,
      environment: {
        ...environment,
        ...variables,
        LAMINA_HEALTH: health,
        LAMINA_STATE: state(name),
        LAMINA_TOOLS: addresses.binaries,
        LAMINA_WORKER_NAME: name,
      },
    });
  };
  return Promise.all([
    worker("builder", {
      LAMINA_BUILDKIT: addresses.buildkit.address,
      LAMINA_UV: uvDirectory,
      LAMINA_CA_BUNDLE: process.env["SSL_CERT_FILE"] ?? "",
    }),
    worker("runner", {
      LAMINA_CONTAINERD: addresses.containerd.address,
      LAMINA_CONTAINERD_HOSTS: addresses.containerd.hostsDirectory,
    }),
  ]);
}

function sharedEnvironment({ nats, registry }: ServerAddresses): Record<string, string> {
  return {
    LAMINA_NATS_URL: nats.url,
    LAMINA_NATS_USER: nats.user,
    LAMINA_NATS_PASSWORD: nats.password,
    LAMINA_NAMESPACE: freshNamespace(),
    LAMINA_REGISTRY: registry.host,
    LAMINA_REGISTRY_USERNAME: registry.user,
    LAMINA_REGISTRY_PASSWORD: registry.password,
  };
}

function startApp(name: string, health: string, { directory, environment }: Surroundings): Promise<Supervised> {
  const app: ServerProcess = {
    name,
    command: [process.execPath, path.join(APPS, name, "src/main.ts")],
    directory,
    environment,
    stop: { signal: "SIGTERM", graceSeconds: 10, isolated: false },
    isReady: async () => (await fetch(`http://${health}`)).ok,
    report: (line) => process.stderr.write(`${line}\n`),
  };
  return supervise(app);
}
