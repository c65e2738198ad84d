/** Tells the control plane how calls ended: those that come while it is being told of others go together. */
import type { FinishCallsInput } from "@lamina/api";
import type { ControlPlane, Logger } from "@lamina/service";
import { setTimeout as delay } from "node:timers/promises";

export type Outcome = FinishCallsInput["calls"][number];

export interface Outcomes {
  /** Resolves when it is recorded: to the milliseconds after which the call is to be tried again, or to undefined when it is done with. */
  readonly finish: (outcome: Outcome) => Promise<number | undefined>;
}

export interface OutcomesOptions {
  readonly controlPlane: Pick<ControlPlane, "calls">;
  readonly logger: Logger;
  /** It is not told any more then. */
  readonly signal: AbortSignal;
}

const MOST_AT_ONCE = 200;
const RETRY_MS = 1_000;

interface Waiting {
  readonly outcome: Outcome;
  readonly resolve: (retryAfterMs: number | undefined) => void;
  readonly reject: (reason: unknown) => void;
}

export function outcomesTo({ controlPlane, logger, signal }: OutcomesOptions): Outcomes {
  let waiting: Waiting[] = [];
  let isTelling = false;

  async function tell(): Promise<void> {
    isTelling = true;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MOST_AT_ONCE);
      waiting = waiting.slice(MOST_AT_ONCE);
      await record(batch);
    }
    isTelling = false;
  }

  async function record(batch: readonly Waiting[]): Promise<void> {
    try {
      const finished = await controlPlane.calls.finish({ calls: batch.map(({ outcome }) => outcome) }, { signal });
      batch.forEach(({ resolve }, index) => resolve(finished[index]?.retryAfterMs));
    } catch (error) {
      if (signal.aborted) return batch.forEach(({ reject }) => reject(error));
      logger.warn({ error: String(error), calls: batch.length }, "the ends of calls cannot be recorded yet");
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
      waiting = [...batch, ...waiting];
    }
  }

  return {
    finish: (outcome) =>
      new Promise((resolve, reject) => {
        waiting.push({ outcome, resolve, reject });
        if (!isTelling) void tell();
      }),
  };
}
