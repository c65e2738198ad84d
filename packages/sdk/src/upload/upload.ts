/** Sends the local files that a platform lacks: packs in parallel, then the trees that they make up. */
import { LaminaError } from "@lamina/api";
import pLimit from "p-limit";
import type { Client } from "../client/client.ts";
import { asLaminaError } from "../failure.ts";
import { aboutChange, type SnapshotTree } from "../snapshot.ts";
import { type MissingFile, missingAmong } from "./missing-files.ts";
import { groupFiles, packOf } from "./pack.ts";

export interface UploadProgress {
  readonly type: "upload";
  /** Bytes of files read so far, and in all, before compression. */
  readonly bytes: number;
  readonly total: number;
}

export interface UploadOptions {
  readonly onProgress: (progress: UploadProgress) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends what is missing of these trees, each file once, and has the trees kept. When the platform goes away in the
 * middle, what is missing then is sent when it is back.
 * @throws INVALID_INPUT when a file changed since it was looked at
 */
export async function upload(client: Client, trees: readonly SnapshotTree[], options: UploadOptions): Promise<void> {
  const files = new Map(trees.flatMap((tree) => [...tree.files]));
  for (let tries = 1; ; tries += 1) {
    try {
      return await sendMissing(client, { trees, missing: await missingAmong(client, files, options.signal) }, options);
    } catch (error) {
      const mayPass = error instanceof LaminaError && error.code === "UNREACHABLE" && tries < TRIES;
      if (!mayPass) throw error;
    }
  }
}

const TRIES = 3;

/**
 * The same for trees of which little is new, without asking about the rest. It does no harm when the platform lacks more,
 * which shows when the trees are used.
 */
export async function uploadChanges(client: Client, changes: Sending, options: UploadOptions): Promise<void> {
  await sendMissing(client, changes, options).catch((error: unknown) => {
    if (asLaminaError(error)?.code !== "CONTEXT_MISSING") throw error;
  });
}

/** Of the files of these trees that were read now, those that the platform lacks. */
export function missingOf(client: Client, trees: readonly SnapshotTree[], signal: AbortSignal | undefined): Promise<MissingFile[]> {
  return missingAmong(client, new Map(trees.flatMap((tree) => [...tree.files].filter(([, { isNew }]) => isNew))), signal);
}

export interface Sending {
  readonly trees: readonly SnapshotTree[];
  readonly missing: readonly MissingFile[];
}

async function sendMissing(client: Client, { trees, missing }: Sending, { onProgress, signal }: UploadOptions): Promise<void> {
  const onRead = progressReporter(missing, onProgress);
  const stop = new AbortController();
  const until = AbortSignal.any([stop.signal, ...(signal === undefined ? [] : [signal])]);
  const limit = pLimit(PARALLEL_PACKS);
  try {
    await Promise.all(groupFiles(missing).map((files) => limit(() => client.contexts.sendPack(packOf(files, onRead), { signal: until }))));
  } catch (error) {
    limit.clearQueue();
    stop.abort();
    throw aboutChange(error, trees);
  }
  for (const tree of trees) await client.contexts.commitTree({ entries: [...tree.entries] }, { signal });
}

const PARALLEL_PACKS = 4;
/** A report for each such part of the whole is enough for people. */
const REPORTS = 200;

function progressReporter(missing: readonly MissingFile[], onProgress: UploadOptions["onProgress"]): (bytes: number) => void {
  const total = missing.reduce((sum, { size }) => sum + size, 0);
  let bytes = 0;
  let reported = 0;
  return (read) => {
    bytes += read;
    if (bytes < total && bytes - reported < total / REPORTS) return;
    reported = bytes;
    onProgress({ type: "upload", bytes, total });
  };
}
