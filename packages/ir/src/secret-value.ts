import { entryBytes, LONGEST_ENTRY_BYTES } from "./environment-entry.ts";

/** Why a step cannot have this value as that environment variable, never showing the value; undefined when it can. */
export function problemOfSecretValue(name: string, value: string): string | undefined {
  if (value === "") return "it has no value";
  if (value.includes("\0")) return "a value holds no NUL";
  if (entryBytes(name, value) > LONGEST_ENTRY_BYTES) return "a name and its value take at most 128 KiB together";
  return undefined;
}
