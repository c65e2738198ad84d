/** Holding a lease: renewing it in time, and stopping by our own clock before another could have it. */
import { laminaError, LaminaError, type RenewedLease } from "@lamina/api";

export interface HoldLeaseOptions {
  /** Asks for another term. */
  readonly renew: (signal: AbortSignal) => Promise<RenewedLease>;
  /** The first term, which began when it was asked for: `claimedAt`. */
  readonly leaseSeconds: number;
  /** When the claim was sent, by `performance.now()`. */
  readonly claimedAt: number;
  /** The lease is over, or goes to another: nothing may be published any more. */
  readonly onLost: (reason: LaminaError) => void;
  /** Nobody wants the work any more. */
  readonly onCancelled: () => void;
  /** Told of a renewal that failed and will be tried again. */
  readonly onRetry: (error: LaminaError) => void;
}

export interface HeldLease {
  /** Renews at once, such as when a message says that the work was cancelled. */
  renewNow(): void;
  /** Stops renewing. None of the callbacks is called after it. */
  release(): void;
}

/** Renews three times a term. One of `onLost` and `onCancelled` is called, at most once. */
export function holdLease(options: HoldLeaseOptions): HeldLease {
  const released = new AbortController();
  let { leaseSeconds } = options;
  let renewal: NodeJS.Timeout | undefined;
  let expiry: NodeJS.Timeout | undefined;
  let renewing = false;

  const release = (): void => {
    clearTimeout(renewal);
    clearTimeout(expiry);
    released.abort();
  };
  const lose = (reason: LaminaError): void => {
    release();
    options.onLost(reason);
  };
  const startTerm = (askedAt: number): void => {
    clearTimeout(expiry);
    const left = askedAt + leaseSeconds * 1000 - performance.now();
    expiry = setTimeout(() => lose(leaseLost("The lease could not be renewed in time: the control plane did not answer.")), left);
  };
  const scheduleRenewal = (seconds: number): void => {
    clearTimeout(renewal);
    renewal = setTimeout(() => void renew(), seconds * 1000);
  };
  const renew = async (): Promise<void> => {
    if (renewing || released.signal.aborted) return;
    renewing = true;
    const askedAt = performance.now();
    try {
      const renewed = await options.renew(released.signal);
      if (released.signal.aborted) return;
      if (renewed.cancelled) {
        release();
        return options.onCancelled();
      }
      leaseSeconds = renewed.leaseSeconds;
      startTerm(askedAt);
      scheduleRenewal(leaseSeconds / 3);
    } catch (thrown) {
      if (released.signal.aborted) return;
      const error = laminaError(thrown);
      if (error.code === "LEASE_LOST") return lose(error);
      options.onRetry(error);
      scheduleRenewal(leaseSeconds / 15);
    } finally {
      renewing = false;
    }
  };

  startTerm(options.claimedAt);
  scheduleRenewal(leaseSeconds / 3);
  return { renewNow: () => void renew(), release };
}

function leaseLost(message: string): LaminaError {
  return new LaminaError({ code: "LEASE_LOST", message });
}
