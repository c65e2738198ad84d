/** How a worker lets the control plane know that it is there. */
import type { Worker } from "@lamina/api";
import type { ControlPlane } from "./control-plane.ts";
import type { Logger } from "./logger.ts";

export interface HeartbeatOptions {
  readonly controlPlane: ControlPlane;
  readonly worker: Worker;
  readonly logger: Logger;
}

const HEARTBEAT_MS = 10_000;

/** Beats at once and every ten seconds until it is disposed. A beat that is not heard is logged. */
export function startHeartbeat({ controlPlane, worker, logger }: HeartbeatOptions): Disposable {
  const beat = (): void => {
    const signal = AbortSignal.timeout(HEARTBEAT_MS);
    controlPlane.platform
      .heartbeat(worker, { signal })
      .catch((error: unknown) => logger.warn({ reason: String(error) }, "the control plane does not hear us"));
  };
  beat();
  const timer = setInterval(beat, HEARTBEAT_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
