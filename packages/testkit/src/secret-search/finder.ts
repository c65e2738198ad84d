/** Looks for values in bytes, whole or as they come. */
import { needlesOf } from "./forms.ts";

export interface Find {
  /** The name of the value. */
  readonly secret: string;
  readonly form: string;
  readonly place: string;
}

export interface Finder {
  look(place: string, bytes: Buffer): void;
  /** The same for bytes that come in pieces, a value may be cut by. */
  lookThrough(place: string, pieces: AsyncIterable<unknown>): Promise<void>;
  /** Each once. */
  readonly finds: readonly Find[];
}

export function createFinder(secrets: Readonly<Record<string, string>>): Finder {
  const needles = needlesOf(secrets);
  const overlap = Math.max(...needles.map(({ bytes }) => bytes.length)) - 1;
  const finds: Find[] = [];
  const look = (place: string, haystack: Buffer): void => {
    for (const { secret, form, bytes } of needles) {
      if (!haystack.includes(bytes)) continue;
      if (!finds.some((find) => find.secret === secret && find.form === form && find.place === place)) finds.push({ secret, form, place });
    }
  };
  return {
    look,
    async lookThrough(place, pieces) {
      let rest = Buffer.alloc(0);
      for await (const piece of pieces) {
        if (!(piece instanceof Uint8Array)) throw new TypeError("bytes are searched");
        const bytes = Buffer.concat([rest, piece]);
        look(place, bytes);
        rest = bytes.subarray(Math.max(0, bytes.length - overlap));
      }
    },
    finds,
  };
}
