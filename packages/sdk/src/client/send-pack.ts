/** Sends a pack of files to the platform. */
import { ErrorInfo, LaminaError, PACK_PATH, PackReceipt } from "@lamina/api";
import { buffer } from "node:stream/consumers";
import { z } from "zod";
import type { Pack } from "../upload/pack.ts";
import { unreachable } from "./errors.ts";
import { nodeFetch, placeOf } from "./node-fetch.ts";

export interface Destination {
  readonly url: string;
  readonly authorization: string;
  readonly signal?: AbortSignal | undefined;
}

/** Sends a pack, a large one as a stream. @throws what kept a file from being read; what the platform answers; UNREACHABLE */
export async function sendPack(pack: Pack, destination: Destination): Promise<PackReceipt> {
  try {
    return await post(pack, destination);
  } catch (error) {
    throw pack.readFailure() ?? error;
  } finally {
    // A platform that answers before it has read everything reads no more.
    pack.body.destroy();
  }
}

/** Up to this size a pack is sent whole. */
const SMALL_BYTES = 1024 * 1024;

const Failure = z.object({ error: ErrorInfo });

async function post({ body, size }: Pack, { url, authorization, signal }: Destination): Promise<PackReceipt> {
  const place = new URL(PACK_PATH, url);
  const response = await nodeFetch(placeOf(place), {
    method: "POST",
    headers: { authorization, "content-type": "application/zstd" },
    signal,
    body: size <= SMALL_BYTES ? await buffer(body) : body,
  }).catch((error: unknown) => {
    throw signal?.aborted === true ? new LaminaError({ code: "CANCELLED", message: "The upload was cancelled." }) : unreachable(url, error);
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return PackReceipt.parse(answer);
  const failure = Failure.safeParse(answer);
  if (failure.success) throw new LaminaError(failure.data.error);
  throw new LaminaError({
    code: "INTERNAL",
    message: `The platform did not take a pack of files: it answered with ${response.status}.`,
  });
}
