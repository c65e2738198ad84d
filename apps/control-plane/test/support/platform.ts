/** A control plane in this process, on a database, a namespace and repositories of its own. */
import type { Caller } from "@lamina/api";
import { createRegistry } from "@lamina/registry";
import { createLogger } from "@lamina/service";
import { controlPlaneEnvironment, freshDatabase, servers, sharedEnvironment } from "@lamina/testkit";
import { Client } from "pg";
import { type Config, configFrom } from "../../src/config.ts";
import { type ControlPlane, startControlPlane } from "../../src/control-plane.ts";
import { type FakeImage, pushImage } from "./image.ts";

export const client: Caller = { workspace: "default", role: "client" };
export const worker: Caller = { workspace: "default", role: "worker" };

/** Where control planes can be started. */
export interface TestPlace extends AsyncDisposable {
  /** As a control plane's process needs it, but for the address to listen on. */
  readonly environment: Readonly<Record<string, string>>;
  readonly config: Config;
  /** The base that `debianSlim` of Python 3.13 means. */
  readonly base: FakeImage;
  /** Asks the database directly. */
  sql<Row extends object>(query: string, values?: readonly unknown[]): Promise<Row[]>;
}

export interface TestControlPlane extends ControlPlane, TestPlace {}

export interface TestOptions {
  /** Beside another control plane: on its database and in its namespace. */
  readonly beside?: TestPlace;
  readonly environment?: Readonly<Record<string, string>>;
}

export async function testControlPlane({ beside, environment }: TestOptions = {}): Promise<TestControlPlane> {
  await using cleanUp = new AsyncDisposableStack();
  const place = beside ?? cleanUp.use(await testPlace(environment));
  const controlPlane = await startControlPlane(place.config, createLogger({ name: "control-plane", level: "silent" }));
  cleanUp.defer(() => controlPlane.stop());
  const owned = cleanUp.move();
  return { ...place, ...controlPlane, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

export async function testPlace(changes: Readonly<Record<string, string>> = {}): Promise<TestPlace> {
  await using cleanUp = new AsyncDisposableStack();
  const database = cleanUp.use(await freshDatabase());
  const own = controlPlaneEnvironment(sharedEnvironment(await servers()), database.url);
  const environment = {
    ...own,
    LAMINA_BASE_REGISTRY: `${own.LAMINA_REGISTRY}/${own.LAMINA_REPOSITORY}/library`,
    ...changes,
  };
  const config = configFrom(environment);
  const library = createRegistry(config.registry).repository(`${config.repositoryPrefix}/library/python`);
  const base = await pushImage(library, { blobs: ["base"], tag: "3.13-slim" });
  const connection = new Client({ connectionString: database.url });
  await connection.connect();
  cleanUp.defer(() => connection.end());

  const owned = cleanUp.move();
  return {
    environment,
    config,
    base,
    async sql<Row extends object>(query: string, values: readonly unknown[] = []) {
      const { rows } = await connection.query<Row>(query, [...values]);
      return rows;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
