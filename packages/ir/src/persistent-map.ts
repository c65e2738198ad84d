/** A map that never changes: adding to it gives another, which shares the entries with it, so that a long row of them costs no more than the last. */
export class PersistentMap<Value> {
  /** The newest first. Each has more entries than the one before it, so there are few. */
  readonly #parts: readonly ReadonlyMap<string, Value>[];

  constructor(parts: readonly ReadonlyMap<string, Value>[] = []) {
    this.#parts = parts;
  }

  has(name: string): boolean {
    return this.#parts.some((part) => part.has(name));
  }

  get(name: string): Value | undefined {
    return this.#parts.find((part) => part.has(name))?.get(name);
  }

  with(entries: Iterable<readonly [string, Value]>): PersistentMap<Value> {
    let newest = new Map(entries);
    let count = 0;
    for (const part of this.#parts) {
      if (part.size > newest.size) break;
      newest = new Map([...part, ...newest]);
      count += 1;
    }
    return newest.size === 0 ? this : new PersistentMap([newest, ...this.#parts.slice(count)]);
  }
}
