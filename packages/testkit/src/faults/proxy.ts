/** A TCP proxy that can be a bad network. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/**
 * `pass`: everything goes through. `stall`: nothing does, and nobody is told. `cut`: connections are broken, and
 * new ones are too. `slow`: so many bytes a second go through, in each direction of a connection.
 */
export type Network = { readonly kind: "pass" | "stall" | "cut" } | { readonly kind: "slow"; readonly bytesPerSecond: number };

export interface FaultyProxy extends AsyncDisposable {
  /** Where it listens: host:port. */
  readonly host: string;
  become(network: Network): void;
  /** Resolves when clients have sent so many bytes more, over all connections. */
  sent(bytes: number): Promise<void>;
}

const LOOPBACK = "127.0.0.1";
const SLICES_PER_SECOND = 20;

/** Listens on a free port of loopback and passes on to `target` (host:port). */
export async function faultyProxy(target: string): Promise<FaultyProxy> {
  const { hostname, port } = new URL(`tcp://${target}`);
  const sockets = new Set<Socket>();
  let network: Network = { kind: "pass" };
  let changed = Promise.withResolvers<void>();
  let sentBytes = 0;
  let watchers: { readonly at: number; readonly resolve: () => void }[] = [];

  const count = (bytes: number): void => {
    sentBytes += bytes;
    for (const { resolve } of watchers.filter(({ at }) => at <= sentBytes)) resolve();
    watchers = watchers.filter(({ at }) => at > sentBytes);
  };
  /** Resolves when so many bytes may go through. */
  const permitted = async (bytes: number): Promise<void> => {
    while (network.kind === "stall") await changed.promise;
    if (network.kind === "slow") await Promise.race([delay((bytes / network.bytesPerSecond) * 1000), changed.promise]);
  };
  const slices = (chunk: Buffer): Buffer[] => {
    if (network.kind !== "slow") return [chunk];
    const size = Math.max(1, Math.floor(network.bytesPerSecond / SLICES_PER_SECOND));
    return Array.from({ length: Math.ceil(chunk.length / size) }, (_, index) => chunk.subarray(index * size, (index + 1) * size));
  };
  const pass = async (from: Socket, to: Socket, onBytes: (bytes: number) => void): Promise<void> => {
    try {
      for await (const chunk of from) {
        if (!Buffer.isBuffer(chunk)) continue;
        for (const slice of slices(chunk)) {
          onBytes(slice.length);
          await permitted(slice.length);
          if (!to.write(slice)) await once(to, "drain");
        }
      }
      to.end();
    } catch {
      // One side broke, or was broken here: the other is told so.
      from.destroy();
      to.destroy();
    }
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (network.kind === "cut") return void client.resetAndDestroy();
    const upstream = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      socket.on("error", () => undefined);
    }
    void pass(client, upstream, count);
    void pass(upstream, client, () => undefined);
  });
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("a TCP server has a port");

  const breakAll = (): void => sockets.forEach((socket) => socket.resetAndDestroy());
  return {
    host: `${LOOPBACK}:${address.port}`,
    become(next) {
      network = next;
      changed.resolve();
      changed = Promise.withResolvers();
      if (next.kind === "cut") breakAll();
    },
    sent: (bytes) => new Promise((resolve) => watchers.push({ at: sentBytes + bytes, resolve })),
    async [Symbol.asyncDispose]() {
      breakAll();
      server.close();
      await once(server, "close");
    },
  };
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
