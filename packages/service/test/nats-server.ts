/** A NATS of the test's own, which can be killed and started again at the same address. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { serverBinaries } from "@lamina/servers";

export interface TestNats extends AsyncDisposable {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** SIGKILL. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Removes what a killed one kept. */
  empty(): Promise<void>;
}

export async function testNats(): Promise<TestNats> {
  const binaries = await serverBinaries(process.env["LAMINA_CACHE"] ?? join(homedir(), ".cache", "lamina"));
  const directory = await mkdtemp(join(tmpdir(), "lamina-nats-"));
  const port = await freePort();
  const user = "test";
  const password = "not-a-secret";
  const configuration = join(directory, "nats.json");
  const store = join(directory, "data");
  await writeFile(
    configuration,
    JSON.stringify({ listen: `127.0.0.1:${port}`, authorization: { user, password }, jetstream: { store_dir: store } }),
  );
  let server: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    if (server === undefined) return;
    const exited = once(server, "exit");
    server.kill("SIGKILL");
    await exited;
    server = undefined;
  };
  const start = async (): Promise<void> => {
    server = spawn(join(binaries, "nats-server"), ["--config", configuration], { stdio: ["ignore", "ignore", "pipe"] });
    if (server.stderr === null) throw new TypeError("NATS logs to a pipe");
    let log = "";
    for await (const chunk of server.stderr) if ((log += String(chunk)).includes("Server is ready")) break;
    if (!log.includes("Server is ready")) throw new Error(`NATS did not start:\n${log}`);
  };
  await start();
  return {
    url: `nats://127.0.0.1:${port}`,
    user,
    password,
    kill,
    start,
    empty: () => rm(store, { recursive: true }),
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(directory, { recursive: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new TypeError("a TCP port was asked for");
  return address.port;
}
