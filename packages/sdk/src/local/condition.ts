/** Says whether a local file is copied; it gets the file's path with the given directory in front. */
export type Condition = (path: string) => boolean;

export function isCondition(value: unknown): value is Condition {
  return typeof value === "function";
}
