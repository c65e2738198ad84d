/** Where a server runs, and others find it. */
export interface Place {
  /** The IPv4 address on which it listens. */
  readonly address: string;
  /** The beginning of a command that ends by becoming the rest of it, there: such as in a network name space. */
  readonly enter: readonly string[];
}

/** This machine, for nobody beyond it. */
export const HERE: Place = { address: "127.0.0.1", enter: [] };
