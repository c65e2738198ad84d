/** What is wrong with a local path, in the terms of who named it. */
import { LaminaError } from "@lamina/api";
import { ChangedWhileRead } from "./digest.ts";
import { Unsupported } from "./walk.ts";

/** A path as it was given, and the same from the root. */
export interface GivenPath {
  readonly given: string;
  readonly path: string;
}

/** An error that is about local files, in the terms of who named them; undefined for any other error. */
export function problemOf(error: unknown, { given, path }: GivenPath): Unsupported | ChangedWhileRead | undefined {
  if (error instanceof Unsupported || error instanceof ChangedWhileRead) return error;
  if (error instanceof LaminaError || !(error instanceof Error) || !("code" in error)) return undefined;
  const where = "path" in error && typeof error.path === "string" && error.path !== path ? error.path : given;
  switch (error.code) {
    case "ENOENT":
      return new Unsupported("missing-file", `there is no ${JSON.stringify(where)}${where === path ? "" : ` (looked at ${path})`}`, {
        cause: error,
      });
    case "EACCES":
    case "EPERM":
      return new Unsupported("unreadable-file", `"${where}" may not be read by this user`, { cause: error });
    case "ELOOP":
      return new Unsupported("link-cycle", `"${where}" is a link that leads to itself, or became a link while it was read`, {
        cause: error,
      });
    default:
      return new Unsupported("unreadable-file", `"${where}" cannot be read: ${error.message}`, { cause: error });
  }
}

/** Runs what reads a local path. @throws Unsupported with the path as it was given, in place of an error about files */
export async function aboutPath<T>(place: GivenPath, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw problemOf(error, place) ?? error;
  }
}
