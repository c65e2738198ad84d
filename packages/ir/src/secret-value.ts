/** Linux takes no environment entry (`NAME=value` and its end) of more than 128 KiB. */
const LONGEST_ENTRY_BYTES = 128 * 1024;

/** Why a step cannot have this value as that environment variable, never showing the value; undefined when it can. */
export function problemOfSecretValue(name: string, value: string): string | undefined {
  if (value.includes("\0")) return "a value holds no NUL";
  if (Buffer.byteLength(`${name}=${value}\0`) > LONGEST_ENTRY_BYTES) return "a name and its value take at most 128 KiB together";
  return undefined;
}
