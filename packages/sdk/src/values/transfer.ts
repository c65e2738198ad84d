/** Values on their way: small ones in the call itself, others through the object store. */
import { INLINE_VALUE_BYTES, JSON_VALUE, LaminaError, type Value } from "@lamina/api";
import type { CallOptions, Client } from "../client/client.ts";
import { decodeValue, encodeValue, ValueProblem } from "./codec.ts";

/** What a call is given. */
export interface Input {
  readonly args: readonly unknown[];
  /** For functions in Python. */
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/** An input as it travels. @throws VALUE_UNREADABLE with the place in it that cannot be sent */
export async function sendInput(client: Client, { args, kwargs }: Input, options?: CallOptions): Promise<Value> {
  return sendText(client, `{"args":${encoded(args, "args")},"kwargs":${encoded(kwargs, "kwargs")}}`, options);
}

/** The value that a call gave. @throws VALUE_UNREADABLE when only Python reads it, or it is not kept any more */
export async function receiveValue(client: Client, value: Value, options?: CallOptions): Promise<unknown> {
  if (value.type !== JSON_VALUE) throw unreadable("The value is pickled, which only Python reads.");
  const text = "data" in value ? value.data : await client.values.get(value.object, options);
  try {
    return decodeValue(text);
  } catch (error) {
    if (error instanceof ValueProblem) throw unreadable(`A result cannot be read: ${error.message}.`, error);
    throw error;
  }
}

async function sendText(client: Client, data: string, options?: CallOptions): Promise<Value> {
  // Text has at least as many bytes as characters, and mostly no more.
  if (data.length <= INLINE_VALUE_BYTES && Buffer.byteLength(data) <= INLINE_VALUE_BYTES) return { type: JSON_VALUE, data };
  return { type: JSON_VALUE, ...(await client.values.put(data, options)) };
}

function encoded(value: unknown, root: string): string {
  try {
    return encodeValue(value, root);
  } catch (error) {
    if (error instanceof ValueProblem) throw unreadable(`An argument cannot be sent: ${error.message}.`, error);
    throw error;
  }
}

function unreadable(message: string, cause?: unknown): LaminaError {
  return new LaminaError({ code: "VALUE_UNREADABLE", message }, { cause });
}
