/** What lowering takes and gives. */
import type { BuilderVersion } from "../builder-version.ts";
import type { Inherited } from "../dockerfile/inherited.ts";
import type { Digest, ResolvedDefinition } from "../operation.ts";

/** Which layers to make, and from what. Layer 0 is the base; layer n is step n-1. */
export interface LowerRequest {
  readonly definition: ResolvedDefinition;
  /** The image that the first stage starts from, by digest: `host/repository@sha256:…`. */
  readonly from: string;
  /** The first layer to make; 1 starts at the base. */
  readonly first: number;
  /** The last layer to make, inclusive. */
  readonly last: number;
  /** The user that the image in `from` runs as, from its config; root when it names none. */
  readonly user?: string;
  /**
   * The values of the build arguments that the layers below `first` have given, of {@link argumentsBelow}. An image does
   * not have them in its config, and they hold for the layers above.
   */
  readonly args?: Readonly<Record<string, string>>;
  /**
   * The names of the machine's GPUs, such as `["0", "1"]`; a step gets as many as it asks for. No layer depends on which.
   * By default there is one that stands for all.
   */
  readonly gpus?: readonly string[];
}

/** What lowering a step depends on beside the step itself. */
export interface Surroundings {
  /** The name that the step's own context has, if it needs one. */
  readonly context: string;
  /** The version of uv. */
  readonly uv: string;
  readonly poetry: BuilderVersion["poetry"];
  /** The major version of Node. */
  readonly node: string;
  /** The user that the image has before the step, as it is written after USER; root when it names none. */
  readonly user: string | undefined;
  /** What instructions of earlier steps have left. */
  readonly inherited: Inherited;
  /** As in {@link LowerRequest}. */
  readonly gpus: readonly string[] | undefined;
}

/** A named context that a Dockerfile copies or mounts from. */
export type LoweredContext =
  /** The tree staged as it is under `t/`. */
  | { readonly name: string; readonly kind: "directory"; readonly tree: Digest }
  /** The tree's only file staged under `f/`, with its own name. */
  | { readonly name: string; readonly kind: "file"; readonly tree: Digest }
  /** A directory that holds the `uv` binary of that version. */
  | { readonly name: string; readonly kind: "uv"; readonly version: string }
  /** A directory that holds the `node` binary of that major version. */
  | { readonly name: string; readonly kind: "node"; readonly version: string };

export interface Lowered {
  readonly dockerfile: string;
  /** One stage a layer, in order; `target` names it for BuildKit. */
  readonly stages: readonly { readonly layer: number; readonly target: string }[];
  readonly contexts: readonly LoweredContext[];
  /** The variable names of the secrets that some stage mounts; each is the id of its mount. */
  readonly secrets: readonly string[];
  readonly buildArgs: Readonly<Record<string, string>>;
}

/** What one operation becomes: the instructions of its stage, and what they need from outside. */
export interface LoweredStep {
  readonly instructions: readonly string[];
  readonly contexts?: readonly LoweredContext[];
  readonly secrets?: readonly string[];
  readonly buildArgs?: Readonly<Record<string, string>>;
}
