/**
 * One run, from its job to its end.
 *
 * I1: nothing is done before the claim, and nothing is said after the lease is lost.
 * I2: what ends a run early is decided once, by the first cause: its lease was lost, nobody wants it any
 *     more, or this process is to stop. Only in the last case its end is told, since in the others the
 *     control plane knows it.
 */
import { randomUUID } from "node:crypto";
import { type ClaimedRun, type FinishRunInput, laminaError, LaminaError, type RunProgress } from "@lamina/api";
import { formatReference } from "@lamina/registry";
import { FeedFencedError, type FeedWriter, feedWriter, holdLease, type Logger, type WorkerSurroundings } from "@lamina/service";
import type { Engine } from "./engine/engine.ts";

export interface RunSurroundings extends WorkerSurroundings {
  readonly engine: Engine;
}

/** Resolves when the job is done with: the command ended, failed, was cut off, or is not to be had any more. */
export async function executeRun(id: string, surroundings: RunSurroundings): Promise<void> {
  const { controlPlane, worker, signal } = surroundings;
  const logger = surroundings.logger.child({ run: id });
  const claimedAt = performance.now();
  const claimed = await controlPlane.runs.claim({ id, worker, nonce: randomUUID() }, { signal });
  if (claimed === null) return logger.info("the run is not to be claimed any more");
  logger.info({ image: claimed.image.digest }, "claimed a run");

  const ended = new AbortController();
  const cutOff = (reason: string): void => ended.abort(new CutOff(reason));
  const stop = (): void => ended.abort(new LaminaError({ code: "RUN_FAILED", message: "The runner was stopped while the command ran." }));
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const lease = holdLease({
    renew: (renewal) => controlPlane.runs.renew({ id, token: claimed.token }, { signal: renewal }),
    leaseSeconds: claimed.leaseSeconds,
    claimedAt,
    onLost: (reason) => cutOff(`its lease is lost: ${reason.message}`),
    onCancelled: () => cutOff("nobody wants it any more"),
    onRetry: (error) => logger.warn({ reason: error.message }, "the lease could not be renewed yet"),
  });
  const control = surroundings.connection.subscribe(surroundings.catalogue.control(id), { callback: () => lease.renewNow() });
  try {
    await runAndFinish({ id, claimed, surroundings, logger, signal: ended.signal, cutOff });
  } catch (error) {
    if (!isCutOff(error)) throw error;
    logger.info({ reason: error.message }, "the run was cut off");
  } finally {
    lease.release();
    control.unsubscribe();
    signal.removeEventListener("abort", stop);
  }
}

/** Why a run ended in a way that the control plane knows already. */
class CutOff extends Error {
  override readonly name = "CutOff";
}

function isCutOff(error: unknown): error is Error {
  return error instanceof CutOff || error instanceof FeedFencedError || (error instanceof LaminaError && error.code === "LEASE_LOST");
}

interface Claim {
  readonly id: string;
  readonly claimed: ClaimedRun;
  readonly surroundings: RunSurroundings;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly cutOff: (reason: string) => void;
}

async function runAndFinish(claim: Claim): Promise<void> {
  const { id, claimed, surroundings, logger, cutOff } = claim;
  const { connection, catalogue, controlPlane } = surroundings;
  const feed = await feedWriter<RunProgress>({
    connection,
    stream: catalogue.events.stream,
    subject: catalogue.events.subject(id),
    logger,
    onFenced: () => cutOff("another has written to its feed"),
  });
  try {
    const outcome = await outcomeOf(claim, feed);
    await feed.flush();
    await controlPlane.runs.finish({ id, token: claimed.token, outcome });
    logger.info({ outcome }, "finished a run");
  } finally {
    feed.abandon();
  }
}

/** @throws {CutOff} */
async function outcomeOf({ claimed, surroundings, signal }: Claim, feed: FeedWriter<RunProgress>): Promise<FinishRunInput["outcome"]> {
  const { engine, registryHost, worker } = surroundings;
  const { repository, digest, host = registryHost } = claimed.image;
  const image = formatReference({ host, repository, digest });
  try {
    await feed.write({ type: "run-started", at: Date.now(), runner: worker });
    await feed.write({ type: "preparing", at: Date.now(), what: `Fetching ${image}` });
    await engine.pull(image, signal);
    const exitCode = await engine.run({
      image,
      command: claimed.command,
      onOutput: (stream, bytes) => feed.write({ type: "output", at: Date.now(), stream, data: bytes.toString("base64") }),
      signal,
    });
    return { exitCode };
  } catch (error) {
    if (isCutOff(error)) throw error;
    return { error: laminaError(error).info };
  }
}
