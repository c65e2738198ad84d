/** The GPUs of this runner: each belongs to one container at a time. */

export interface Gpus {
  readonly count: number;
  /** So many at once, or undefined when they are not free. */
  take(count: number): readonly string[] | undefined;
  /** So many at once, before others that ask later. Rejects with the signal's reason. */
  wait(count: number, signal: AbortSignal): Promise<readonly string[]>;
  /** @returns nothing; who waits for GPUs is told */
  giveBack(devices: readonly string[]): void;
  /** Hears when some are free that nobody waits for. */
  onFree(callback: () => void): void;
  /** Hears when some are waited for: what has some and nothing to do may let go of them. */
  onWanted(callback: () => void): void;
}

interface Waiting {
  readonly count: number;
  readonly resolve: (devices: readonly string[]) => void;
}

export function gpusOf(devices: readonly string[]): Gpus {
  const free = new Set(devices);
  const waiting = new Set<Waiting>();
  const heardOfFree: (() => void)[] = [];
  const heardOfWanted: (() => void)[] = [];

  function taken(count: number): readonly string[] | undefined {
    if (free.size < count) return undefined;
    const found = [...free].slice(0, count);
    for (const device of found) free.delete(device);
    return found;
  }

  /** First those who wait, in their order. */
  function giveOut(): void {
    for (const one of waiting) {
      const given = taken(one.count);
      if (given === undefined) break;
      waiting.delete(one);
      one.resolve(given);
    }
    for (const hear of waiting.size > 0 ? heardOfWanted : heardOfFree) hear();
  }

  return {
    count: devices.length,
    take: (count) => (count > 0 && waiting.size > 0 ? undefined : taken(count)),
    async wait(count, signal) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
      const one: Waiting = { count, resolve };
      const giveUp = (): void => {
        waiting.delete(one);
        reject(signal.reason);
        giveOut();
      };
      signal.addEventListener("abort", giveUp, { once: true });
      waiting.add(one);
      giveOut();
      try {
        return await promise;
      } finally {
        signal.removeEventListener("abort", giveUp);
      }
    },
    giveBack(given) {
      for (const device of given) free.add(device);
      if (given.length > 0) giveOut();
    },
    onFree: (callback) => void heardOfFree.push(callback),
    onWanted: (callback) => void heardOfWanted.push(callback),
  };
}
