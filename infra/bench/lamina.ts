/** Our side: the embedded platform from its bundles, the command line as a process, and the SDK. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ServerAddresses } from "@lamina/servers";
import { type AnyImage, type BuildOptions, buildImage, type Client, connect, dockerfileOf } from "lamina";
import { Client as Database } from "pg";
import { timed } from "./timed.ts";

export interface Lamina extends AsyncDisposable {
  readonly client: Client;
  /** Builds by a call of the SDK. Returns its milliseconds, and waits until nothing of it goes on. */
  build(image: AnyImage, options?: BuildOptions): Promise<number>;
  /** `lamina build FILE` as a process; the same. */
  buildByCli(file: string, environment?: Readonly<Record<string, string>>): Promise<number>;
  /** The base of an image in the platform's registry, by digest; made or pulled where it is not there. */
  baseOf(image: AnyImage): Promise<string>;
  /** Resolves when no builder works. */
  idle(): Promise<void>;
}

export const REPOSITORY = join(import.meta.dirname, "../..");
export const CLI = join(REPOSITORY, "apps/cli/bin/lamina.mjs");
const IDLE_POLL_MS = 10;

export interface LaminaOptions {
  /** All state of the platform; this process' SDK takes it for its home too. */
  readonly home: string;
  readonly servers: ServerAddresses;
}

/** Starts the platform on these servers by `lamina up`. Disposing stops it. */
export async function startLamina({ home, servers }: LaminaOptions): Promise<Lamina> {
  if (!existsSync(join(REPOSITORY, "apps/cli/dist/main.mjs"))) throw new Error("There are no bundles to measure: run `npm run bench`.");
  process.env["LAMINA_HOME"] = home;
  const cli = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
    timed([process.execPath, CLI, ...args], { environment });
  await cli(["up"], environmentOf(servers));
  const database = new Database({ connectionString: servers.postgres.url });
  // The next query says what is wrong.
  database.on("error", () => undefined);
  await database.connect();
  const client = await connect();
  const idle = async () => {
    for (;;) {
      const { rows } = await database.query("SELECT FROM attempt WHERE state IN ('queued', 'running') LIMIT 1");
      if (rows.length === 0) return;
      await delay(IDLE_POLL_MS);
    }
  };
  return {
    client,
    idle,
    async build(image, options) {
      const startedAt = performance.now();
      await buildImage(client, image, options);
      const milliseconds = performance.now() - startedAt;
      await idle();
      return milliseconds;
    },
    async buildByCli(file, environment) {
      const { milliseconds } = await cli(["build", file], environment);
      await idle();
      return milliseconds;
    },
    baseOf: async (image) => /^FROM (\S+)/m.exec(await dockerfileOf(client, image))?.[1] ?? "",
    async [Symbol.asyncDispose]() {
      await database.end();
      await cli(["down"]);
    },
  };
}

function environmentOf({ postgres, nats, registry, buildkit }: ServerAddresses): Record<string, string> {
  return {
    LAMINA_DATABASE_URL: postgres.url,
    LAMINA_NATS_URL: nats.url,
    LAMINA_NATS_USER: nats.user,
    LAMINA_NATS_PASSWORD: nats.password,
    LAMINA_REGISTRY: registry.host,
    LAMINA_REGISTRY_USERNAME: registry.user,
    LAMINA_REGISTRY_PASSWORD: registry.password,
    BUILDKIT_HOST: buildkit.address,
  };
}
