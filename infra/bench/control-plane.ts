/** A control plane beside that of the platform, with a database and a name space of its own, on the same servers. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { supervise } from "@lamina/servers";
import getPort from "get-port";
import { type Client, connect } from "lamina";
import { Client as Database } from "pg";
import type { Bench } from "./bench.ts";
import { REPOSITORY } from "./lamina.ts";

export interface ControlPlane extends AsyncDisposable {
  readonly client: Client;
  readonly databaseUrl: string;
}

/** Takes bases from the platform's registry, where they have to be. */
export async function startControlPlane({ servers, directory }: Bench): Promise<ControlPlane> {
  const name = `bench${randomBytes(6).toString("hex")}`;
  const databaseUrl = await createDatabase(servers.postgres.url, name);
  const listen = `127.0.0.1:${await getPort({ host: "127.0.0.1" })}`;
  const token = randomBytes(24).toString("base64url");
  const { nats, registry } = servers;
  const supervised = await supervise({
    name: "control-plane",
    command: [process.execPath, "--disable-warning=ExperimentalWarning", join(REPOSITORY, "apps/control-plane/dist/main.mjs")],
    directory: await directory(),
    environment: {
      LAMINA_LISTEN: listen,
      LAMINA_DATABASE_URL: databaseUrl,
      LAMINA_NATS_URL: nats.url,
      LAMINA_NATS_USER: nats.user,
      LAMINA_NATS_PASSWORD: nats.password,
      LAMINA_NAMESPACE: name,
      LAMINA_WORKSPACE: name,
      LAMINA_REGISTRY: registry.host,
      LAMINA_REGISTRY_USERNAME: registry.user,
      LAMINA_REGISTRY_PASSWORD: registry.password,
      LAMINA_BASE_REGISTRY: `${registry.host}/lamina/bases`,
      LAMINA_SECRET_KEY: randomBytes(32).toString("base64"),
      LAMINA_CLIENT_TOKEN: token,
      LAMINA_WORKER_TOKEN: randomBytes(24).toString("base64url"),
    },
    stop: { signal: "SIGTERM", graceSeconds: 10, isolated: false },
    isReady: async () => (await fetch(`http://${listen}/healthz`)).ok,
    report: (line) => console.error(line),
  });
  return { client: await connect({ url: `http://${listen}`, token }), databaseUrl, [Symbol.asyncDispose]: () => supervised.stop() };
}

async function createDatabase(serverUrl: string, name: string): Promise<string> {
  const database = new Database({ connectionString: serverUrl });
  await database.connect();
  try {
    await database.query(`CREATE DATABASE "${name}"`);
  } finally {
    await database.end();
  }
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
