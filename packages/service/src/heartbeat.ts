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

export interface Heartbeat extends Disposable {
  /** Resolves when the first beat was heard, or was not heard in time. */
  readonly first: Promise<void>;
}

/** Beats at once and every ten seconds until it is disposed. A beat that is not heard is logged. */
export function startHeartbeat({ controlPlane, worker, logger }: HeartbeatOptions): Heartbeat {
  const beat = async (): Promise<void> => {
    const signal = AbortSignal.timeout(HEARTBEAT_MS);
    try {
      await controlPlane.platform.heartbeat(worker, { signal });
    } catch (error) {
      logger.warn({ reason: String(error) }, "the control plane does not hear us");
    }
  };
  const first = beat();
  const timer = setInterval(() => void beat(), HEARTBEAT_MS);
  return { first, [Symbol.dispose]: () => clearInterval(timer) };
}
