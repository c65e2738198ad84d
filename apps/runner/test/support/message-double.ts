/** A message of a function's queue that no server knows. */
import type { JsMsg } from "@nats-io/jetstream";

/** @param pending how many waited behind it when it was delivered */
export function messageDouble(id: string, { pending = 0 }: { readonly pending?: number } = {}): JsMsg {
  const subject = `calls.fn.${id}`;
  return {
    redelivered: false,
    info: {
      domain: "",
      account_hash: "",
      stream: "calls",
      consumer: "fn",
      deliveryCount: 1,
      redelivered: false,
      streamSequence: 1,
      deliverySequence: 1,
      timestampNanos: 0,
      pending,
    },
    seq: 1,
    headers: undefined,
    data: new Uint8Array(),
    subject,
    sid: 1,
    time: new Date(0),
    timestamp: "",
    timestampNanos: 0n,
    ack: () => undefined,
    nak: () => undefined,
    working: () => undefined,
    next: () => undefined,
    term: () => undefined,
    ackAck: async () => true,
    json: () => {
      throw new Error("nobody reads it");
    },
    string: () => "",
  };
}
