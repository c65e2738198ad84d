/** Sends a pack of files to the platform. */
import { ErrorInfo, LaminaError, PACK_PATH, PackReceipt } from "@lamina/api";
import { z } from "zod";
import type { Pack } from "../upload/pack.ts";
import { unreachable } from "./errors.ts";

export interface Destination {
  readonly url: string;
  readonly authorization: string;
  readonly signal?: AbortSignal | undefined;
}

/** Streams a pack. @throws what kept a file from being read; what the platform answers; UNREACHABLE */
export async function sendPack({ body, readFailure }: Pack, destination: Destination): Promise<PackReceipt> {
  try {
    return await post(body, destination);
  } catch (error) {
    throw readFailure() ?? error;
  } finally {
    // A platform that answers before it has read everything reads no more.
    body.destroy();
  }
}

const Failure = z.object({ error: ErrorInfo });

async function post(body: Pack["body"], { url, authorization, signal }: Destination): Promise<PackReceipt> {
  const response = await fetch(new URL(PACK_PATH, url), {
    method: "POST",
    headers: { authorization, "content-type": "application/zstd" },
    body,
    duplex: "half",
    ...(signal !== undefined && { signal }),
  }).catch((error: unknown) => {
    throw signal?.aborted === true ? new LaminaError({ code: "CANCELLED", message: "The upload was cancelled." }) : unreachable(url, error);
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return PackReceipt.parse(answer);
  const failure = Failure.safeParse(answer);
  if (failure.success) throw new LaminaError(failure.data.error);
  throw new LaminaError({
    code: "INTERNAL",
    message: `The platform did not take a pack of files: ${response.status} ${response.statusText}.`,
  });
}
