import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import type { ServerContext } from "./context.ts";
import { LOOPBACK } from "./loopback.ts";
import { USER } from "./settings.ts";
import { supervise, type Supervised } from "./supervise.ts";

const MAX_PAYLOAD_BYTES = 1024 * 1024;

/** Starts NATS with JetStream on loopback; the password is in its configuration file only. */
export async function startNats(context: ServerContext): Promise<Supervised> {
  const directory = join(context.directory, "nats");
  const configuration = join(directory, "nats.json");
  const port = context.settings.ports.nats;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(
    configuration,
    JSON.stringify({
      listen: `${LOOPBACK}:${port}`,
      authorization: { user: USER, password: context.settings.passwords.nats },
      jetstream: { store_dir: join(directory, "data") },
      max_payload: MAX_PAYLOAD_BYTES,
    }),
    { mode: 0o600 },
  );
  return supervise({
    name: "nats",
    command: [join(context.binaries, "nats-server"), "--config", configuration],
    directory: context.directory,
    stop: { signal: "SIGTERM", graceSeconds: 10, isolated: false },
    isReady: () => accepts(port),
    longestPauseMs: context.longestPauseMs,
    report: context.report,
  });
}

/** NATS opens its port after JetStream has recovered, so an accepted connection means ready. */
async function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, LOOPBACK);
    socket.once("data", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
    socket.once("data", () => socket.destroy());
  });
}
