/** Several producers, one consumer; a producer waits while nobody takes what it put in. */
export interface Channel<T> {
  /** Resolves when there is room for the next item, or the channel is closed. */
  put(item: T): Promise<void>;
  /** The next item; undefined when none came within that time or the channel is closed. */
  take(timeoutMs: number): Promise<T | undefined>;
  /** Lets the consumer look up although there is no item. */
  wake(): void;
  close(): void;
}

const ROOM = 256;

export function createChannel<T>(): Channel<T> {
  const items: T[] = [];
  let closed = false;
  let wakeConsumer = () => {};
  let makeRoom: (() => void)[] = [];

  const shift = (): T | undefined => {
    const item = items.shift();
    if (items.length < ROOM) {
      for (const proceed of makeRoom) proceed();
      makeRoom = [];
    }
    return item;
  };
  return {
    async put(item) {
      if (closed) return;
      items.push(item);
      wakeConsumer();
      if (items.length >= ROOM) await new Promise<void>((resolve) => makeRoom.push(resolve));
    },
    async take(timeoutMs) {
      if (items.length === 0 && !closed) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeoutMs);
          wakeConsumer = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        wakeConsumer = () => {};
      }
      return shift();
    },
    wake: () => wakeConsumer(),
    close() {
      closed = true;
      items.length = 0;
      for (const proceed of makeRoom) proceed();
      wakeConsumer();
    },
  };
}
