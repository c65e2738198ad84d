/** A control plane in this process, on a database, a namespace and repositories of its own. */
import type { Caller } from "@lamina/api";
import { createRegistry } from "@lamina/registry";
import { createLogger } from "@lamina/service";
import { freshDatabase, freshNamespace, servers } from "@lamina/testkit";
import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { type Config, configFrom } from "../../src/config.ts";
import { type ControlPlane, startControlPlane } from "../../src/control-plane.ts";
import { type FakeImage, pushImage } from "./image.ts";

export const client: Caller = { workspace: "default", role: "client" };
export const worker: Caller = { workspace: "default", role: "worker" };

export interface TestControlPlane extends ControlPlane, AsyncDisposable {
  readonly config: Config;
  /** The base that `debianSlim` of Python 3.13 means. */
  readonly base: FakeImage;
  /** Asks the database directly. */
  sql<Row extends object>(query: string, values?: readonly unknown[]): Promise<Row[]>;
}

export interface TestOptions {
  /** Beside another control plane: on its database and in its namespace. */
  readonly beside?: TestControlPlane;
  readonly environment?: Readonly<Record<string, string>>;
}

export async function testControlPlane({ beside, environment = {} }: TestOptions = {}): Promise<TestControlPlane> {
  await using cleanUp = new AsyncDisposableStack();
  const { nats, registry } = await servers();
  const prefix = freshNamespace();
  const database = beside === undefined ? cleanUp.use(await freshDatabase()) : { url: beside.config.databaseUrl };
  const config: Config =
    beside?.config ??
    configFrom({
      LAMINA_DATABASE_URL: database.url,
      LAMINA_NATS_URL: nats.url,
      LAMINA_NATS_USER: nats.user,
      LAMINA_NATS_PASSWORD: nats.password,
      LAMINA_NAMESPACE: freshNamespace(),
      LAMINA_REGISTRY: registry.host,
      LAMINA_REGISTRY_USERNAME: registry.user,
      LAMINA_REGISTRY_PASSWORD: registry.password,
      LAMINA_REPOSITORY: prefix,
      LAMINA_BASE_REGISTRY: `${registry.host}/${prefix}/library`,
      LAMINA_SECRET_KEY: randomBytes(32).toString("base64"),
      LAMINA_CLIENT_TOKEN: "a token of the test's client",
      LAMINA_WORKER_TOKEN: "a token of the test's worker",
      ...environment,
    });
  const library = createRegistry(config.registry).repository(`${config.repositoryPrefix}/library/python`);
  const base = beside?.base ?? (await pushImage(library, { blobs: ["base"], tag: "3.13-slim" }));
  const controlPlane = await startControlPlane(config, createLogger({ name: "control-plane", level: "silent" }));
  cleanUp.defer(() => controlPlane.stop());
  const connection = new Client({ connectionString: database.url });
  await connection.connect();
  cleanUp.defer(() => connection.end());

  const owned = cleanUp.move();
  return {
    ...controlPlane,
    config,
    base,
    async sql<Row extends object>(query: string, values: readonly unknown[] = []) {
      const { rows } = await connection.query<Row>(query, [...values]);
      return rows;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
