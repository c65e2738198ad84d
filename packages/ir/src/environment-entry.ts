/** Linux takes no environment entry (`NAME=value` and its end) of more than 128 KiB. */
export const LONGEST_ENTRY_BYTES = 128 * 1024;

/** The size of a variable in an environment. */
export function entryBytes(name: string, value: string): number {
  return Buffer.byteLength(`${name}=${value}\0`);
}
