/** A control plane alone, as a process that a test may kill and start again. It has no builder: what is not cached stays queued. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { ServerAddresses } from "@lamina/servers";
import getPort from "get-port";
import { commandOf } from "./app.ts";
import { servers } from "./client.ts";
import { freshDatabase } from "./database.ts";
import { type ControlPlaneEnvironment, controlPlaneEnvironment, sharedEnvironment } from "./environment.ts";

export interface ControlPlaneOptions {
  /** What it runs on; the servers of the test run by default. */
  readonly servers?: ServerAddresses;
  /** More variables for it. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface TestControlPlane extends AsyncDisposable {
  readonly url: string;
  /** The client's. */
  readonly token: string;
  readonly environment: Readonly<ControlPlaneEnvironment>;
  /** What its workers get: the servers, its address and their token. */
  readonly workerEnvironment: Readonly<Record<string, string>>;
  kill(): Promise<void>;
  /** Starts it again, on the same address, after it was killed. */
  start(): Promise<void>;
}

export async function testControlPlane(options: ControlPlaneOptions = {}): Promise<TestControlPlane> {
  await using cleanUp = new AsyncDisposableStack();
  const addresses = options.servers ?? (await servers());
  const database = cleanUp.use(await freshDatabase(addresses.postgres));
  const listen = `127.0.0.1:${await getPort({ host: "127.0.0.1" })}`;
  const shared = sharedEnvironment(addresses);
  const environment = controlPlaneEnvironment(shared, database.url);
  const url = `http://${listen}`;
  const [program, ...args] = commandOf("control-plane");
  const env = { PATH: process.env["PATH"], ...environment, LAMINA_LISTEN: listen, ...options.environment };
  let running: ChildProcess | undefined;
  const kill = async () => {
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    running.kill("SIGKILL");
    await once(running, "exit");
  };
  const start = async () => {
    running = spawn(program, args, { env, stdio: ["ignore", "ignore", "pipe"] });
    await listening(running);
  };
  cleanUp.defer(kill);
  await start();
  const owned = cleanUp.move();
  return {
    url,
    token: environment.LAMINA_CLIENT_TOKEN,
    environment,
    workerEnvironment: { ...shared, LAMINA_URL: url, LAMINA_TOKEN: environment.LAMINA_WORKER_TOKEN },
    kill,
    start,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
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
