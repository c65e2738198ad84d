/**
 * Why a registry did not do what was asked:
 * - `invalid_reference`: the reference, repository, tag or digest is malformed; nothing was asked.
 * - `not_found`: the registry answered, and has no such repository, manifest or blob.
 * - `unauthorised`: credentials are missing or wrong, or do not allow this.
 * - `unreachable`: no answer came: name, connection, TLS, time limit, or a connection that broke.
 * - `unavailable`: it answered 429 or 5xx, also after retries.
 * - `no_such_platform`: the image is there, but not for the platform that was asked for.
 * - `corrupt`: what came is not what was named (wrong digest), or breaks the specification.
 * - `unsupported`: a valid answer of a kind that this client does not read.
 * - `rejected`: the registry refused what was sent.
 */
export type RegistryErrorCode =
  | "invalid_reference"
  | "not_found"
  | "unauthorised"
  | "unreachable"
  | "unavailable"
  | "no_such_platform"
  | "corrupt"
  | "unsupported"
  | "rejected";

export interface RegistryErrorDetails {
  readonly cause?: unknown;
  readonly status?: number | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** The only error that this package throws, besides the reason of an aborted signal. Its message holds no credentials and no query strings. */
export class RegistryError extends Error {
  override readonly name = "RegistryError";
  readonly code: RegistryErrorCode;
  /** The HTTP status that the registry answered, where there was an answer. */
  readonly status: number | undefined;
  /** How long the registry asked to be left alone, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(code: RegistryErrorCode, message: string, details: RegistryErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
  }
}

export function isRegistryError(error: unknown, ...codes: readonly RegistryErrorCode[]): error is RegistryError {
  return error instanceof RegistryError && (codes.length === 0 || codes.includes(error.code));
}
