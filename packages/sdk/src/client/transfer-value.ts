/** Values that are too large for messages, to the object store and from it. */
import { ErrorInfo, KeptValue, LaminaError, VALUES_PATH } from "@lamina/api";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { unreachable } from "./errors.ts";
import { nodeFetch, placeOf, type NodeFetchInit, type NodeFetchResponse } from "./node-fetch.ts";
import type { Destination } from "./send-pack.ts";

/** Keeps a text. @throws what the platform answers; UNREACHABLE; CANCELLED */
export async function putValue(text: string, destination: Destination): Promise<KeptValue> {
  const { url, authorization, signal } = destination;
  const headers = { authorization, "content-type": "application/octet-stream" };
  const response = await send(new URL(VALUES_PATH, url), { method: "POST", headers, body: text, signal }, destination);
  return KeptValue.parse(await response.json());
}

/** A text that is kept. @throws as {@link putValue} */
export async function getValue(object: string, destination: Destination): Promise<string> {
  const { url, authorization, signal } = destination;
  const response = await send(new URL(`${VALUES_PATH}/${object}`, url), { headers: { authorization }, signal }, destination);
  return response.text();
}

const Failure = z.object({ error: ErrorInfo });
const TRIES = 5;

/** Both may be done again: a text that is kept twice is two values. */
async function send(place: URL, init: NodeFetchInit, { url, signal }: Destination): Promise<NodeFetchResponse> {
  const response = await requested(place, init, { url, signal });
  if (response.ok) return response;
  const failure = Failure.safeParse(await response.json().catch(() => undefined));
  if (failure.success) throw new LaminaError(failure.data.error);
  throw new LaminaError({ code: "INTERNAL", message: `The platform did not take or give a value: it answered with ${response.status}.` });
}

async function requested(
  place: URL,
  init: NodeFetchInit,
  { url, signal }: Pick<Destination, "url" | "signal">,
): Promise<NodeFetchResponse> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await nodeFetch(placeOf(place), init);
    } catch (error) {
      if (signal?.aborted === true) throw new LaminaError({ code: "CANCELLED", message: "The call was cancelled." });
      if (tries === TRIES) throw unreachable(url, error);
    }
    await delay(100 * 2 ** tries);
  }
}
