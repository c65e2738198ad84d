/** A control plane alone, as a process that a test may kill and start again. It has no builder: what is not cached stays queued. */
import { freshDatabase, freshNamespace, servers } from "@lamina/testkit";
import getPort from "get-port";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface TestControlPlane extends AsyncDisposable {
  readonly url: string;
  readonly token: string;
  kill(): Promise<void>;
  start(): Promise<void>;
}

const MAIN = join(import.meta.dirname, "../../../../apps/control-plane/src/main.ts");

export async function controlPlane(): Promise<TestControlPlane> {
  await using cleanUp = new AsyncDisposableStack();
  const { nats, registry } = await servers();
  const database = cleanUp.use(await freshDatabase());
  const token = () => randomBytes(24).toString("base64url");
  const listen = `127.0.0.1:${await getPort({ host: "127.0.0.1" })}`;
  const clientToken = token();
  const env = {
    PATH: process.env["PATH"],
    LAMINA_LISTEN: listen,
    LAMINA_DATABASE_URL: database.url,
    LAMINA_NATS_URL: nats.url,
    LAMINA_NATS_USER: nats.user,
    LAMINA_NATS_PASSWORD: nats.password,
    LAMINA_NAMESPACE: freshNamespace(),
    LAMINA_REGISTRY: registry.host,
    LAMINA_REGISTRY_USERNAME: registry.user,
    LAMINA_REGISTRY_PASSWORD: registry.password,
    LAMINA_REPOSITORY: freshNamespace(),
    LAMINA_BASE_REGISTRY: `${registry.host}/bases`,
    LAMINA_SECRET_KEY: randomBytes(32).toString("base64"),
    LAMINA_CLIENT_TOKEN: clientToken,
    LAMINA_WORKER_TOKEN: token(),
  };
  let running: ChildProcess | undefined;
  const kill = async () => {
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    running.kill("SIGKILL");
    await once(running, "exit");
  };
  const start = async () => {
    running = spawn(process.execPath, [MAIN], { env, stdio: ["ignore", "ignore", "pipe"] });
    await listening(running);
  };
  cleanUp.defer(kill);
  await start();
  const owned = cleanUp.move();
  return { url: `http://${listen}`, token: clientToken, kill, start, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Waits for the line of its log that says so. */
async function listening({ stderr }: ChildProcess): Promise<void> {
  if (stderr === null) throw new Error("the control plane has no log");
  const lines: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  createInterface(stderr)
    .on("line", (line) => {
      lines.push(line);
      if (line.includes('"listening"')) resolve();
    })
    .on("close", () => reject(new Error(`the control plane did not start:\n${lines.join("\n")}`)));
  await promise;
}
