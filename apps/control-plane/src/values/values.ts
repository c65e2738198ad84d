/** Values of calls that are too large for messages: in NATS' object store, for a day. */
import { type KeptValue, LaminaError, STORED_VALUE_SECONDS, StoredValue } from "@lamina/api";
import { type ObjectStore, Objm, StorageType } from "@nats-io/obj";
import { nanos } from "@nats-io/transport-node";
import { randomUUID } from "node:crypto";
import type { Nats } from "../events/nats.ts";

export interface StoredValues {
  /** Keeps the bytes of a stream. */
  put(workspace: string, bytes: AsyncIterable<Uint8Array>): Promise<KeptValue>;
  /** @throws {LaminaError} VALUE_UNREADABLE for one that there is not, or not any more */
  get(workspace: string, object: string): Promise<ReadableStream<Uint8Array>>;
}

export function createStoredValues({ client, catalogue }: Pick<Nats, "client" | "catalogue">): StoredValues {
  /** Made where it is not there: NATS may have come back empty. */
  const store = (): Promise<ObjectStore> =>
    new Objm(client).create(catalogue.values, { ttl: nanos(STORED_VALUE_SECONDS * 1000), storage: StorageType.File });
  return {
    async put(workspace, bytes) {
      const object = randomUUID();
      const values = await store();
      const { size } = await values.put({ name: object, metadata: { workspace } }, ReadableStream.from(bytes));
      return { object, bytes: size };
    },
    async get(workspace, object) {
      if (!StoredValue.shape.object.safeParse(object).success) throw notKept(object);
      const found = await (await store()).get(object);
      if (found === null || found.info.metadata?.["workspace"] !== workspace) throw notKept(object);
      // What goes wrong, and bytes that are not those that were kept, are errors of the stream as well.
      found.error.catch(() => {});
      return found.data;
    },
  };
}

function notKept(object: string): LaminaError {
  const hours = STORED_VALUE_SECONDS / 3600;
  const message = `There is no value ${object}. Values that are too large for a message are kept for ${hours} hours: call again.`;
  return new LaminaError({ code: "VALUE_UNREADABLE", message });
}
