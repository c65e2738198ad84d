/**
 * Why a registry did not do what was asked:
 * - `INVALID_REFERENCE`: the reference, repository, tag or digest is malformed; nothing was asked.
 * - `NOT_FOUND`: the registry answered, and has no such repository, manifest or blob.
 * - `UNAUTHORIZED`: credentials are missing or wrong, or do not allow this.
 * - `UNREACHABLE`: no answer came: name, connection, TLS, time limit, or a connection that broke.
 * - `UNAVAILABLE`: it answered 429 or 5xx, also after retries.
 * - `NO_SUCH_PLATFORM`: the image is there, but not for the platform that was asked for.
 * - `CORRUPT`: what came is not what was named (wrong digest), or breaks the specification.
 * - `UNSUPPORTED`: a valid answer of a kind that this client does not read.
 * - `REJECTED`: the registry refused what was sent.
 */
export type RegistryErrorCode =
  | "INVALID_REFERENCE"
  | "NOT_FOUND"
  | "UNAUTHORIZED"
  | "UNREACHABLE"
  | "UNAVAILABLE"
  | "NO_SUCH_PLATFORM"
  | "CORRUPT"
  | "UNSUPPORTED"
  | "REJECTED";

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
