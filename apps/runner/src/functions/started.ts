/** Says of calls that take longer than a moment that they have begun. */
import type { StartedCalls } from "@lamina/api";
import type { ControlPlane, Logger } from "@lamina/service";

export interface StartedReporter {
  /** @returns what takes it back, when the call has ended */
  soon(call: StartedCalls["calls"][number]): () => void;
}

export interface StartedReporterOptions {
  readonly runner: string;
  readonly controlPlane: Pick<ControlPlane, "calls">;
  readonly logger: Logger;
}

const MOMENT_MS = 100;

export function startedReporter({ runner, controlPlane, logger }: StartedReporterOptions): StartedReporter {
  const begun = new Map<object, { readonly at: number; readonly call: StartedCalls["calls"][number] }>();
  let timer: NodeJS.Timeout | undefined;

  function tell(): void {
    timer = undefined;
    const now = performance.now();
    const calls: StartedCalls["calls"] = [];
    // In the order of their beginnings.
    for (const [key, { at, call }] of begun) {
      if (now - at < MOMENT_MS / 2) break;
      begun.delete(key);
      calls.push(call);
    }
    if (begun.size > 0) timer = setTimeout(tell, MOMENT_MS);
    if (calls.length === 0) return;
    controlPlane.calls
      .started({ runner, calls })
      .catch((error: unknown) => logger.debug({ error: String(error) }, "nobody was told that calls have begun"));
  }

  return {
    soon(call) {
      const key = {};
      begun.set(key, { at: performance.now(), call });
      timer ??= setTimeout(tell, MOMENT_MS);
      return () => void begun.delete(key);
    },
  };
}
