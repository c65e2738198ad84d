/**
 * A platform of a test's own: a real control plane as a process, on the servers of the test run, and
 * builders of which the test decides when they start, stop and die.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { builderVersion, DEFAULT_BUILDER_VERSION } from "@lamina/ir";
import { createRegistry, type Repository } from "@lamina/registry";
import type { ServerAddresses } from "@lamina/servers";
import { base, servers, testControlPlane, uv } from "@lamina/testkit";
import { type AnyImage, buildImage, type BuildResult, type Client, type ClientEvent, connect, LaminaError } from "lamina";
import { readBuilderConfig, runBuilder } from "../src/index.ts";

export interface Platform extends AsyncDisposable {
  readonly client: Client;
  readonly servers: ServerAddresses;
  /** Where images are pushed. */
  readonly images: Repository;
  readonly databaseUrl: string;
  /** A directory that goes with the platform. */
  readonly directory: string;
  /** Kills the control plane, and starts it again. */
  restartControlPlane(): Promise<void>;
  /** Starts a builder in this process. */
  builder(environment?: Record<string, string>): Promise<Builder>;
  /** Starts a builder as a process of its own, which can be killed. */
  builderProcess(environment?: Record<string, string>): Promise<BuilderProcess>;
}

export interface Builder extends AsyncDisposable {
  readonly state: string;
}

export interface BuilderProcess extends Builder {
  readonly process: ChildProcess;
  /** All that it has logged. */
  log(): string;
}

const APPS = resolve(import.meta.dirname, "../..");
const PYTHON = "3.11";
const UV = builderVersion(DEFAULT_BUILDER_VERSION)?.uv ?? "";
export const DEBIAN = { pythonVersion: PYTHON } as const;

export interface PlatformOptions {
  /** Servers of the test's own instead of those of the test run. */
  readonly own?: Partial<ServerAddresses>;
  /** Short by default, for what waits until one runs out. */
  readonly leaseSeconds?: number;
}

export async function platform({ own = {}, leaseSeconds = 4 }: PlatformOptions = {}): Promise<Platform> {
  await using cleanUp = new AsyncDisposableStack();
  const addresses = { ...(await servers()), ...own };
  await base(PYTHON);
  const directory = await mkdtemp(join(tmpdir(), "lamina-builder-test-"));
  cleanUp.defer(() => rm(directory, { recursive: true, force: true }));
  const controlPlane = cleanUp.use(
    await testControlPlane({ servers: addresses, environment: { LAMINA_LEASE_SECONDS: String(leaseSeconds) } }),
  );
  const { LAMINA_REPOSITORY: repository } = controlPlane.environment;

  const uvDirectory = dirname(dirname(await uv(UV)));
  const environment = async (state: string): Promise<Record<string, string>> => ({
    ...controlPlane.workerEnvironment,
    LAMINA_BUILDKIT: addresses.buildkit.address,
    LAMINA_TOOLS: addresses.binaries,
    LAMINA_UV: uvDirectory,
    LAMINA_STATE: state,
    LAMINA_CA_BUNDLE: process.env["SSL_CERT_FILE"] ?? "",
  });
  const stateDirectory = () => mkdtemp(join(directory, "builder-"));
  const client = await connect(controlPlane);
  const registry = createRegistry({
    host: addresses.registry.host,
    insecure: true,
    credentials: { username: addresses.registry.user, password: addresses.registry.password },
  });

  const owned = cleanUp.move();
  return {
    client,
    servers: addresses,
    images: registry.repository(`${repository}/default`),
    databaseUrl: controlPlane.environment.LAMINA_DATABASE_URL,
    directory,
    async restartControlPlane() {
      await controlPlane.kill();
      await controlPlane.start();
    },
    async builder(more = {}) {
      const state = await stateDirectory();
      const stop = new AbortController();
      const config = readBuilderConfig({ PATH: process.env["PATH"], ...(await environment(state)), LAMINA_LOG_LEVEL: "silent", ...more });
      const running = runBuilder(config, stop.signal);
      return {
        state,
        async [Symbol.asyncDispose]() {
          stop.abort();
          await running;
        },
      };
    },
    async builderProcess(more = {}) {
      const state = await stateDirectory();
      const started = start(join(APPS, "builder/src/main.ts"), { ...(await environment(state)), ...more });
      await started.says("ready for jobs");
      return { state, process: started.process, log: started.log, [Symbol.asyncDispose]: () => end(started.process) };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** How a build went: what it gave or why it failed, and everything that was said. */
export interface Outcome {
  readonly result: BuildResult | undefined;
  readonly error: LaminaError | undefined;
  readonly events: readonly ClientEvent[];
}

export async function build({ client }: Platform, image: AnyImage, onEvent: (event: ClientEvent) => void = () => {}): Promise<Outcome> {
  const events: ClientEvent[] = [];
  try {
    const hear = (event: ClientEvent): void => {
      events.push(event);
      onEvent(event);
    };
    return { result: await buildImage(client, image, { onEvent: hear }), error: undefined, events };
  } catch (error) {
    if (!(error instanceof LaminaError)) throw error;
    return { result: undefined, error, events };
  }
}

function start(main: string, environment: Record<string, string>) {
  const child = spawn(process.execPath, [main], {
    stdio: ["ignore", "inherit", "pipe"],
    env: { PATH: process.env["PATH"], ...environment },
  });
  let log = "";
  const ended = once(child, "exit");
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  return {
    process: child,
    log: () => log,
    /** Resolves when it has logged that. */
    says: async (text: string): Promise<void> => {
      while (!log.includes(text)) {
        await Promise.race([once(child.stderr, "data"), ended]);
        if (child.exitCode !== null && !log.includes(text)) throw new Error(`${main} ended:\n${log}`);
      }
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}
