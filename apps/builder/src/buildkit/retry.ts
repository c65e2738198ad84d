/** Solves over one loss of BuildKit. */
import { setTimeout as delay } from "node:timers/promises";
import { type BuildKit, SolveError, type SolvedImage, type SolveRequest } from "./buildkit.ts";

/**
 * Solves; when BuildKit goes away in the middle, waits until it is back and solves once more. What
 * was done before is in BuildKit's cache.
 */
export async function solveOverLoss(buildkit: BuildKit, request: SolveRequest, onLost: (error: SolveError) => void): Promise<SolvedImage> {
  try {
    return await buildkit.solve(request);
  } catch (error) {
    if (!(error instanceof SolveError) || error.kind !== "lost") throw error;
    onLost(error);
    await untilBack(buildkit, request.signal, error);
    return buildkit.solve(request);
  }
}

const BACK_WITHIN_MS = 60_000;
const ASK_EVERY_MS = 500;

async function untilBack(buildkit: BuildKit, signal: AbortSignal, lost: SolveError): Promise<void> {
  const deadline = performance.now() + BACK_WITHIN_MS;
  for (;;) {
    try {
      return await buildkit.ping(signal);
    } catch {
      signal.throwIfAborted();
      if (performance.now() > deadline) throw lost;
      await delay(ASK_EVERY_MS, undefined, { signal });
    }
  }
}
