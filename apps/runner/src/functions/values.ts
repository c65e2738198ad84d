/** The bytes of values: out of messages, or out of the object store, and back. */
import { randomUUID } from "node:crypto";
import { type Catalogue, INLINE_VALUE_BYTES, JSON_VALUE, LaminaError, STORED_VALUE_SECONDS, type Value, type ValueType } from "@lamina/api";
import { Objm, type ObjectStore, StorageType } from "@nats-io/obj";
import { setTimeout as delay } from "node:timers/promises";
import { nanos, type NatsConnection } from "@nats-io/transport-node";

export interface Values {
  /** @throws {LaminaError} VALUE_UNREADABLE when it is not kept any more */
  read(value: Value): Promise<Buffer>;
  /** Bytes that only the workspace gets. */
  write(workspace: string, type: ValueType, bytes: Buffer): Promise<Value>;
}

export function valuesOf(connection: NatsConnection, catalogue: Catalogue): Values {
  let opened: Promise<ObjectStore> | undefined;
  const store = (): Promise<ObjectStore> => {
    opened ??= new Objm(connection).create(catalogue.values, { ttl: nanos(STORED_VALUE_SECONDS * 1000), storage: StorageType.File });
    opened.catch(() => (opened = undefined));
    return opened;
  };
  return {
    async read(value) {
      if ("data" in value) return Buffer.from(value.data, value.type === JSON_VALUE ? "utf8" : "base64");
      const blob = await overAnOutage(async () => (await store()).getBlob(value.object));
      if (blob === null) {
        throw new LaminaError({
          code: "VALUE_UNREADABLE",
          message: "The input is not kept any more. Large inputs are kept for a day; call again.",
        });
      }
      return Buffer.from(blob);
    },
    async write(workspace, type, bytes) {
      if (bytes.length <= INLINE_VALUE_BYTES) return { type, data: bytes.toString(type === JSON_VALUE ? "utf8" : "base64") };
      const object = randomUUID();
      await overAnOutage(async () => (await store()).putBlob({ name: object, metadata: { workspace } }, bytes));
      return { type, object, bytes: bytes.length };
    },
  };
}

/** NATS may be started again meanwhile. */
const OUTAGE_MS = 30_000;
const RETRY_MS = 500;

async function overAnOutage<T>(action: () => Promise<T>): Promise<T> {
  const last = performance.now() + OUTAGE_MS;
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (performance.now() > last) throw error;
      await delay(RETRY_MS);
    }
  }
}
