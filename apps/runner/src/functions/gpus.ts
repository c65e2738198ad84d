/** The GPUs of this runner: each belongs to one container at a time. */

export interface Gpus {
  readonly count: number;
  /** So many at once, or undefined when they are not free. */
  take(count: number): readonly string[] | undefined;
  /** @returns nothing; who waits for GPUs is told */
  giveBack(devices: readonly string[]): void;
}

export function gpusOf(devices: readonly string[], onFree: () => void): Gpus {
  const free = new Set(devices);
  return {
    count: devices.length,
    take(count) {
      if (free.size < count) return undefined;
      const taken = [...free].slice(0, count);
      for (const device of taken) free.delete(device);
      return taken;
    },
    giveBack(taken) {
      for (const device of taken) free.add(device);
      if (taken.length > 0) onFree();
    },
  };
}
