/**
 * One attempt, from its job to its end.
 *
 * I1: nothing is done before the claim, and nothing is published or finished after the lease is lost.
 * I2: what ends an attempt early is decided once, by the first cause: its lease was lost, nobody wants
 *     it any more, or this process is to stop. In the last case the lease is given back, and another
 *     builder goes on with what BuildKit or the registry has.
 */
import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type AttemptProgress, type ClaimedAttempt, laminaError, type LeaseProof } from "@lamina/api";
import type { Registry } from "@lamina/registry";
import {
  FeedFencedError,
  type FeedWriter,
  feedWriter,
  holdLease,
  type Logger,
  removeTree,
  type TreeDirectories,
  type WorkerSurroundings,
} from "@lamina/service";
import type { BuildKit } from "../buildkit/buildkit.ts";
import { makeSegment, type RecordedImage } from "./segment.ts";

export interface AttemptSurroundings extends WorkerSurroundings {
  readonly buildkit: BuildKit;
  readonly registry: Registry;
  readonly uv: string;
  /** A directory of this process alone. */
  readonly state: string;
  /** The names of the machine's GPUs. */
  readonly gpus: readonly string[];
  /** Directories of attempts are made in it. */
  readonly staging: string;
  /** Where local files are staged. */
  readonly directories: TreeDirectories;
}

/** Resolves when the job is done with: made, failed, cut off, or not to be had any more. Throws when it could not be claimed. */
export async function runAttempt(id: string, surroundings: AttemptSurroundings): Promise<void> {
  const { controlPlane, worker, signal } = surroundings;
  const logger = surroundings.logger.child({ attempt: id });
  const claimedAt = performance.now();
  const claimed = await controlPlane.attempts.claim({ id, worker, nonce: randomUUID() }, { signal });
  if (claimed === null) return logger.info("the attempt is not to be claimed any more");
  logger.info({ layers: claimed.layers.length }, "claimed an attempt");

  const cutOff = new AbortController();
  const end = (reason: Error): void => cutOff.abort(reason);
  const stopped = new CutOff("this builder is to stop");
  const stop = (): void => end(stopped);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const lease = holdLease({
    renew: (renewal) => controlPlane.attempts.renew({ id, token: claimed.token }, { signal: renewal }),
    leaseSeconds: claimed.leaseSeconds,
    claimedAt,
    onLost: (reason) => end(new CutOff(`its lease is lost: ${reason.message}`)),
    onCancelled: () => end(new CutOff("nobody wants it any more")),
    onRetry: (error) => logger.warn({ reason: error.message }, "the lease could not be renewed yet"),
  });
  const control = surroundings.connection.subscribe(surroundings.catalogue.control(id), { callback: () => lease.renewNow() });
  try {
    await makeAndFinish({ id, claimed, surroundings, logger, cutOff });
  } catch (error) {
    const isLost = laminaError(error).code === "LEASE_LOST";
    if (!cutOff.signal.aborted && !isLost) throw error;
    logger.info({ reason: String(cutOff.signal.reason ?? error) }, "the attempt was cut off");
    if (cutOff.signal.reason === stopped) await release({ id, token: claimed.token }, surroundings);
  } finally {
    lease.release();
    control.unsubscribe();
    signal.removeEventListener("abort", stop);
  }
}

/** Without an answer in time the lease runs out by itself. */
async function release(proof: LeaseProof, { controlPlane, logger }: AttemptSurroundings): Promise<void> {
  try {
    await controlPlane.attempts.release(proof, { signal: AbortSignal.timeout(RELEASE_MS) });
  } catch (error) {
    logger.warn({ attempt: proof.id, reason: laminaError(error).message }, "the lease could not be given back");
  }
}

const RELEASE_MS = 5_000;

/** Why an attempt ended before it was made. */
class CutOff extends Error {
  override readonly name = "CutOff";
}

interface Claim {
  readonly id: string;
  readonly claimed: ClaimedAttempt;
  readonly surroundings: AttemptSurroundings;
  readonly logger: Logger;
  readonly cutOff: AbortController;
}

async function makeAndFinish(claim: Claim): Promise<void> {
  const { id, claimed, surroundings, logger, cutOff } = claim;
  const { connection, catalogue, controlPlane, worker, buildkit, registry, registryHost, uv, state, gpus, directories } = surroundings;
  const proof = { id, token: claimed.token };
  const { signal } = cutOff;
  const directory = join(surroundings.staging, id);
  const feed = await feedWriter<AttemptProgress>({
    connection,
    stream: catalogue.events.stream,
    subject: catalogue.events.subject(id),
    logger,
    onFenced: () => cutOff.abort(new CutOff("another has written to its feed")),
  });
  signal.addEventListener("abort", () => feed.abandon(), { once: true });
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await feed.write({ type: "attempt-started", at: Date.now(), builder: worker });
    const error = await makeSegment({
      claimed,
      buildkit,
      registry,
      registryHost,
      uv,
      state,
      gpus,
      directory,
      directories,
      emit: (event) => feed.write(event),
      record: (layer, image) => publishLayer({ layer, image, feed, claim }),
      logger,
      signal,
    }).catch((thrown: unknown) => {
      signal.throwIfAborted();
      logger.error({ err: thrown }, "a fault of the builder itself");
      return laminaError(thrown).info;
    });
    await feed.flush();
    signal.throwIfAborted();
    await controlPlane.attempts.finish({ ...proof, ...(error === undefined ? {} : { error }) }, { signal });
    logger.info({ error: error?.code }, "finished an attempt");
  } finally {
    feed.abandon();
    await removeTree(directory);
  }
}

interface LayerToPublish {
  readonly layer: string;
  readonly image: RecordedImage;
  readonly feed: FeedWriter<AttemptProgress>;
  readonly claim: Claim;
}

/** What was said about a layer is in the stream before its record is, so that who follows sees it before the end. */
async function publishLayer({ layer, image, feed, claim }: LayerToPublish): Promise<void> {
  const { id, claimed, surroundings, cutOff } = claim;
  try {
    await feed.flush();
    await surroundings.controlPlane.attempts.publish({ id, token: claimed.token, layer, ...image }, { signal: cutOff.signal });
  } catch (error) {
    const isLost = error instanceof FeedFencedError || laminaError(error).code === "LEASE_LOST";
    if (isLost) cutOff.abort(new CutOff("its lease is lost"));
    throw error;
  }
  await feed.write({ type: "layer-published", at: Date.now(), layer, digest: image.digest, bytes: image.bytes });
}
