import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import type { ServerContext } from "./context.ts";
import { USER } from "./settings.ts";
import { supervise, type Supervised } from "./supervise.ts";

const MAX_PAYLOAD_BYTES = 1024 * 1024;

/** Where NATS answers, and to whom. */
export function natsAddress({ place, settings }: ServerContext) {
  return { url: `nats://${place.address}:${settings.ports.nats}`, user: USER, password: settings.passwords.nats };
}

/** Starts NATS with JetStream; the password is in its configuration file only. */
export async function startNats(context: ServerContext): Promise<Supervised> {
  const directory = join(context.directory, "nats");
  const configuration = join(directory, "nats.json");
  const { url, user, password } = natsAddress(context);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(
    configuration,
    JSON.stringify({
      listen: new URL(url).host,
      authorization: { user, password },
      jetstream: { store_dir: join(directory, "data") },
      max_payload: MAX_PAYLOAD_BYTES,
    }),
    { mode: 0o600 },
  );
  return supervise({
    name: "nats",
    command: [...context.place.enter, join(context.binaries, "nats-server"), "--config", configuration],
    directory: context.directory,
    stop: { signal: "SIGTERM", graceSeconds: 10, isolated: false },
    isReady: () => accepts(context),
    longestPauseMs: context.longestPauseMs,
    report: context.report,
  });
}

/** NATS opens its port after JetStream has recovered, so an accepted connection means ready. */
async function accepts({ place, settings }: ServerContext): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(settings.ports.nats, place.address);
    socket.once("data", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
    socket.once("data", () => socket.destroy());
  });
}
