/** Says so when a call failed because the platform is of another version. */
import { LaminaError } from "@lamina/api";
import { VERSION } from "../version.ts";

/** What two versions that do not understand each other answer. */
const SYMPTOMS: ReadonlySet<string> = new Set(["INVALID_INPUT", "NOT_FOUND", "INTERNAL", "UNKNOWN_BUILDER_VERSION"]);

/** The error as it is, or, when the platform's version differs in its first two numbers, one that says so. */
export async function explainMismatch(error: LaminaError, info: () => Promise<{ readonly version: string }>): Promise<LaminaError> {
  if (!SYMPTOMS.has(error.code)) return error;
  const version = await versionOf(info);
  if (version === undefined || majorMinor(version) === majorMinor(VERSION)) return error;
  const message = `${error.message} (The SDK is version ${VERSION}, the platform ${version}: use the same on both sides.)`;
  return new LaminaError({ ...error.info, message }, { cause: error });
}

async function versionOf(info: () => Promise<{ readonly version: string }>): Promise<string | undefined> {
  try {
    return (await info()).version;
  } catch {
    // The call failed for another reason then, which the caller's error tells.
    return undefined;
  }
}

function majorMinor(version: string): string {
  return version.split(".", 2).join(".");
}
