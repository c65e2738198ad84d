/** BuildKit, as far as the builder needs it. */
import type { RegistryCredentials } from "./docker-config.ts";
import type { SolveStatus } from "./status.ts";

export interface BuildKit {
  /**
   * Makes one stage of a Dockerfile and pushes its image by digest, without a tag.
   * @throws {SolveError}, or the signal's reason when it was aborted
   */
  solve(request: SolveRequest): Promise<SolvedImage>;
  /** Deletes what BuildKit has recorded of solves with secrets that an earlier process in this one's place did not end. @throws {SolveError} */
  deleteAbandonedRecords(signal: AbortSignal): Promise<void>;
  /** Resolves when BuildKit answers, and throws when it does not. */
  ping(signal?: AbortSignal): Promise<void>;
}

export interface SolveRequest {
  /** A directory that holds `Dockerfile`; notes about the solve are left beside it. */
  readonly dockerfile: string;
  readonly target: string;
  /** By the name of their context. */
  readonly contexts: ReadonlyMap<string, LocalDirectory>;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Values by the id of their mount. */
  readonly secrets: ReadonlyMap<string, string>;
  /** Credentials of registries that images are pulled from, beside the platform's own. */
  readonly registries: RegistryCredentials;
  /** Stages that are made anew, whatever is cached. */
  readonly noCache: readonly string[];
  /** `linux/amd64` or `linux/arm64`. */
  readonly platform: string;
  readonly output: ImageOutput;
  /** Told of every change, in order; the next one waits until it has ended. */
  readonly onStatus: (status: SolveStatus) => Promise<void>;
  readonly signal: AbortSignal;
}

export interface LocalDirectory {
  /** BuildKit keeps what it was sent under this name, and next time it is sent only what has another time, size or mode. */
  readonly name: string;
  readonly path: string;
}

export interface ImageOutput {
  /** `host/repository`. */
  readonly name: string;
  readonly compression: "zstd";
  /** Of the manifest. */
  readonly annotations: Readonly<Record<string, string>>;
}

export interface SolvedImage {
  readonly digest: string;
}

/**
 * `failed`: BuildKit made the solve fail, as `message` says.
 * `lost`: the connection to BuildKit, or buildctl itself, went away; the same solve may work again.
 */
export class SolveError extends Error {
  override readonly name = "SolveError";
  readonly kind: "failed" | "lost";
  /** The line of the Dockerfile that BuildKit says it is about, counted from 1. */
  readonly line: number | undefined;

  constructor(kind: SolveError["kind"], message: string, { line, ...options }: ErrorOptions & { readonly line?: number | undefined } = {}) {
    super(message, options);
    this.kind = kind;
    this.line = line;
  }
}
