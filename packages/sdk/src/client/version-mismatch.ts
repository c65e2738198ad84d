/** Says so when a call failed because the platform is of another version. */
import { LaminaError } from "@lamina/api";
import { VERSION } from "../version.ts";

/** What two versions that do not understand each other answer. */
const SYMPTOMS: ReadonlySet<string> = new Set(["INVALID_INPUT", "NOT_FOUND", "INTERNAL", "UNKNOWN_BUILDER_VERSION"]);

/**
 * The error as it is, or VERSION_MISMATCH where it may come from that: the platform's version differs from this SDK's in its first
 * two numbers, and the error is about no place in the user's file, or about a builder version that this SDK does know.
 */
export async function explainMismatch(error: LaminaError, info: () => Promise<{ readonly version: string }>): Promise<LaminaError> {
  const isPlaced = error.info.source !== undefined && error.code !== "UNKNOWN_BUILDER_VERSION";
  if (!SYMPTOMS.has(error.code) || isPlaced) return error;
  const version = await versionOf(info);
  if (version === undefined || majorMinor(version) === majorMinor(VERSION)) return error;
  const [reason, advice] = isOlder(version, VERSION)
    ? (["older-platform", "upgrade the platform"] as const)
    : (["older-client", "upgrade the packages `lamina` and `@lamina/cli`"] as const);
  const message = `The platform is version ${version}, and this SDK ${VERSION}: ${advice}. It answered: ${error.message}`;
  return new LaminaError({ ...error.info, code: "VERSION_MISMATCH", reason, message }, { cause: error });
}

async function versionOf(info: () => Promise<{ readonly version: string }>): Promise<string | undefined> {
  try {
    return (await info()).version;
  } catch {
    // The call failed for another reason then, which the caller's error tells.
    return undefined;
  }
}

function isOlder(one: string, other: string): boolean {
  return one.localeCompare(other, "en", { numeric: true }) < 0;
}

function majorMinor(version: string): string {
  return version.split(".", 2).join(".");
}
