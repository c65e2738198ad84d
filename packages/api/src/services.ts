/**
 * The services behind the router, and their inputs and outputs. Everything is plain JSON, so that
 * clients in other languages speak it too.
 */
import { Definition, Digest, Platform, ResolvedDefinition, SecretName, TreeEntry, VariableName } from "@lamina/ir";
import { z } from "zod";
import { ErrorInfo, SourceLocation } from "./errors.ts";
import type {
  Call,
  EndedCall,
  FinishCallsInput,
  FinishedCalls,
  FollowLogsInput,
  LogBatch,
  StartCallsInput,
  CarriedCalls,
  StartedCalls,
  WaitForCallsInput,
} from "./calls.ts";
import { type BuildEvent, type BuildOwnEvent, PlannedLayer, type RunEvent } from "./events.ts";
import type { AppInfo, DeployInput, Deployment, ServedFunction } from "./functions.ts";
import { ImageLocation } from "./images.ts";
import type {
  FollowShellInput,
  OpenShellInput,
  ResizeShellInput,
  SeenOfShellInput,
  ShellEvent,
  WriteShellInput,
  WrittenToShell,
} from "./shells.ts";

/** Who calls, as its token says. Workers are builders and runners. */
export interface Caller {
  readonly workspace: string;
  readonly role: "client" | "worker";
}

export const PlatformInfo = z.object({
  version: z.string(),
  builderVersions: z.array(z.string()),
  platform: Platform,
  /** Workers that were heard of lately. */
  workers: z.array(
    z.object({ name: z.string(), kind: z.enum(["builder", "runner"]), pool: z.string(), gpus: z.int(), version: z.string() }),
  ),
  /** What the control plane itself stands on, each with what is wrong with it, if anything is. */
  parts: z.array(z.object({ name: z.string(), address: z.string(), problem: z.string().optional() })),
});
export type PlatformInfo = z.infer<typeof PlatformInfo>;

/** What a plan and a build are asked for with. */
const ImageInput = z.object({
  definition: Definition,
  /** The first layer to make anew, counted with the base as 0; without it nothing is forced. */
  forcedFrom: z.int().min(0).optional(),
  /** Asks the base registry again for the digest of a tag. */
  pull: z.boolean().default(false),
  /** Where each layer's method was called, the base first, as far as that is known. */
  sources: z.array(SourceLocation.nullable()).optional(),
  /** Values of the inline secrets. A plan needs those of the base's registry alone. Encrypted at rest, gone when the build has ended. */
  secrets: z.record(VariableName, z.string()).default({}),
});

export const PlanInput = ImageInput.extend({
  /** It is built elsewhere, so that no pool here has to fit. */
  forExport: z.boolean().optional(),
});
export type PlanInput = z.input<typeof PlanInput>;

export const Plan = z.object({
  image: z.string(),
  platform: Platform,
  definition: ResolvedDefinition,
  /** What the base layer is: `host/repository@digest`, and the user that its config names. */
  base: z.object({ reference: z.string(), user: z.string().optional() }),
  layers: z.array(PlannedLayer),
  /** Trees that missing layers copy and that the server does not hold whole. */
  missingTrees: z.array(Digest),
});
export type Plan = z.infer<typeof Plan>;

/** Chosen by who asks, so that asking again when no answer came starts nothing twice. By default the platform makes one. */
const NewId = z.uuid({ version: "v7" }).optional();

export const StartBuildInput = ImageInput.extend({
  id: NewId,
  /** A name for people, such as the export's. */
  name: z.string().max(200).optional(),
  /** Where each layer's method was called, the base first. */
  sources: z.array(SourceLocation.nullable()),
});
export type StartBuildInput = z.input<typeof StartBuildInput>;

export const BuildState = z.enum(["running", "done", "failed", "cancelled"]);
export type BuildState = z.infer<typeof BuildState>;

export const Build = z.object({
  id: z.string(),
  name: z.string().optional(),
  image: z.string(),
  state: BuildState,
  /** ISO 8601. */
  createdAt: z.string(),
  endedAt: z.string().optional(),
  ref: z.string().optional(),
  error: ErrorInfo.optional(),
});
export type Build = z.infer<typeof Build>;

export const BuiltImage = z.object({
  id: z.string(),
  name: z.string().optional(),
  ref: z.string(),
  digest: Digest,
  layers: z.int(),
  /** The compressed size of all its layers. */
  bytes: z.number(),
  createdAt: z.string(),
});
export type BuiltImage = z.infer<typeof BuiltImage>;

export const FollowInput = z.object({
  id: z.string(),
  /** The cursor of the last event that was seen; tRPC clients send it by themselves when they reconnect. */
  lastEventId: z.string().nullish(),
});
export type FollowInput = z.infer<typeof FollowInput>;

export const FollowBuildInput = FollowInput.extend({
  /**
   * Where the feed ends instead of with the end of the build: at what is there now; or, once the build is
   * done, not before its layers that an attempt is still publishing are published.
   */
  until: z.enum(["now", "published"]).optional(),
});
export type FollowBuildInput = z.infer<typeof FollowBuildInput>;

/** An event with the cursor from which a client goes on after it. */
export interface Tracked<Event> {
  readonly cursor: string;
  readonly event: Event;
}

/** A build that was asked for, with the events that it has already: one that is done at once need not be followed. */
export interface StartedBuild {
  readonly build: string;
  readonly events: readonly Tracked<BuildOwnEvent>[];
}

export const MissingFilesInput = z.object({ files: z.array(Digest) });
export type MissingFilesInput = z.infer<typeof MissingFilesInput>;
export const CommitTreeInput = z.object({ entries: z.array(TreeEntry) });
export type CommitTreeInput = z.infer<typeof CommitTreeInput>;

/** The answer to a pack that was sent to {@link PACK_PATH}. */
export const PackReceipt = z.object({ digest: Digest, files: z.int(), bytes: z.number() });
export type PackReceipt = z.infer<typeof PackReceipt>;
/**
 * `POST` here sends a pack: a zstd-compressed tar of regular files, each named by the 64 hexadecimal
 * digits of its SHA-256. The server checks every file against its name before it takes the pack.
 * A failure is answered with `{"error": ErrorInfo}`.
 */
export const PACK_PATH = "/v1/packs";
/** Where the router is served over HTTP. */
export const RPC_PATH = "/v1/trpc";

export const SetSecretInput = z.object({ name: SecretName, variables: z.record(VariableName, z.string()) });
export type SetSecretInput = z.infer<typeof SetSecretInput>;
export const SecretInfo = z.object({ name: z.string(), variables: z.array(z.string()), updatedAt: z.string() });
export type SecretInfo = z.infer<typeof SecretInfo>;

export const StartRunInput = z.object({
  id: NewId,
  /** An image id, or a reference with a digest in the workspace's repository. */
  image: z.string().min(1),
  command: z.array(z.string().regex(/^[^\0]*$/)).min(1),
});
export type StartRunInput = z.infer<typeof StartRunInput>;

/** A worker that takes jobs of one pool. */
export const Worker = z.object({
  name: z.string().min(1),
  kind: z.enum(["builder", "runner"]),
  pool: z.string().min(1),
  /** How many GPUs what it runs may have. */
  gpus: z.int().min(0).default(0),
  platform: Platform,
  version: z.string(),
});
export type Worker = z.infer<typeof Worker>;

/** Shown with every call that changes something under a lease. Tokens only ever grow. */
export const LeaseProof = z.object({ id: z.string(), token: z.int() });
export type LeaseProof = z.infer<typeof LeaseProof>;

export const ClaimInput = z.object({
  id: z.string(),
  worker: z.string().min(1),
  /** Another one for each call: one that comes twice, since its answer was lost, is answered the same again. */
  nonce: z.string().min(1),
});
export type ClaimInput = z.infer<typeof ClaimInput>;

/** What a registry asks for. */
export const RegistryCredentials = z.object({ username: z.string(), password: z.string() });
export type RegistryCredentials = z.infer<typeof RegistryCredentials>;

/** What the holder of an attempt's lease needs to make its layers. */
export const ClaimedAttempt = z.object({
  token: z.int(),
  leaseSeconds: z.number(),
  definition: ResolvedDefinition,
  /** The image to start from, the user that its config names, and the credentials for a base elsewhere; handed out once. */
  from: ImageLocation.extend({ user: z.string().optional(), credentials: RegistryCredentials.optional() }),
  /** The layers to make, consecutive, in order. `index` counts from the base, which is 0. */
  layers: z.array(z.object({ index: z.int().min(1), id: z.string(), record: z.string(), parentRecord: z.string().nullable() })).min(1),
  /** The first layer of the definition that must be made anew, whatever is cached. */
  forcedFrom: z.int().optional(),
  /** Where in the platform's registry to push. */
  repository: z.string(),
  /** The manifest of each tree that is copied, in the repository of contexts. */
  trees: z.record(Digest, ImageLocation),
  /** Values by variable name; handed out once. */
  secrets: z.record(z.string(), z.string()),
});
export type ClaimedAttempt = z.infer<typeof ClaimedAttempt>;

export const RenewedLease = z.object({ leaseSeconds: z.number(), cancelled: z.boolean() });
export type RenewedLease = z.infer<typeof RenewedLease>;

export const PublishInput = LeaseProof.extend({
  layer: z.string(),
  digest: Digest,
  /** The compressed size of what this layer added. */
  bytes: z.number(),
  seconds: z.number(),
});
export type PublishInput = z.infer<typeof PublishInput>;

export const FinishAttemptInput = LeaseProof.extend({
  /** Without it all layers are made and published. */
  error: ErrorInfo.optional(),
});
export type FinishAttemptInput = z.infer<typeof FinishAttemptInput>;

export const ClaimedRun = z.object({
  token: z.int(),
  leaseSeconds: z.number(),
  image: ImageLocation,
  command: z.array(z.string()),
});
export type ClaimedRun = z.infer<typeof ClaimedRun>;

export const FinishRunInput = LeaseProof.extend({
  outcome: z.union([z.object({ exitCode: z.int() }), z.object({ error: ErrorInfo })]),
});
export type FinishRunInput = z.infer<typeof FinishRunInput>;

/** What the control plane does. Every method throws LaminaError; the first argument says who asks. */
export interface Services {
  readonly platform: {
    info(caller: Caller): Promise<PlatformInfo>;
    heartbeat(caller: Caller, worker: Worker): Promise<void>;
  };
  readonly images: {
    plan(caller: Caller, input: z.output<typeof PlanInput>): Promise<Plan>;
    list(caller: Caller): Promise<BuiltImage[]>;
  };
  readonly contexts: {
    /** Of these files, those that no pack holds. */
    missingFiles(caller: Caller, input: MissingFilesInput): Promise<Digest[]>;
    /** Keeps a tree whose files are all there. @throws CONTEXT_MISSING */
    commitTree(caller: Caller, input: CommitTreeInput): Promise<{ tree: Digest }>;
  };
  readonly builds: {
    /** @throws CONTEXT_MISSING when a layer that is to be made copies files that were not uploaded */
    start(caller: Caller, input: z.output<typeof StartBuildInput>): Promise<StartedBuild>;
    get(caller: Caller, input: { id: string }): Promise<Build>;
    /** The newest first. */
    list(caller: Caller, input: { limit: number }): Promise<Build[]>;
    cancel(caller: Caller, input: { id: string }): Promise<void>;
    /** Each event once, from the cursor on; ends after done, failed or cancelled, or where `until` says. */
    follow(caller: Caller, input: FollowBuildInput, signal: AbortSignal): AsyncIterable<Tracked<BuildEvent>>;
  };
  readonly secrets: {
    set(caller: Caller, input: SetSecretInput): Promise<void>;
    list(caller: Caller): Promise<SecretInfo[]>;
    remove(caller: Caller, input: { name: string }): Promise<void>;
  };
  readonly runs: {
    start(caller: Caller, input: StartRunInput): Promise<{ run: string }>;
    cancel(caller: Caller, input: { id: string }): Promise<void>;
    follow(caller: Caller, input: FollowInput, signal: AbortSignal): AsyncIterable<Tracked<RunEvent>>;
    claim(caller: Caller, input: ClaimInput): Promise<ClaimedRun | null>;
    renew(caller: Caller, input: LeaseProof): Promise<RenewedLease>;
    finish(caller: Caller, input: FinishRunInput): Promise<void>;
  };
  readonly attempts: {
    /** The lease, or null when there is nothing to claim any more: the job is then done with. */
    claim(caller: Caller, input: ClaimInput): Promise<ClaimedAttempt | null>;
    /** @throws LEASE_LOST */
    renew(caller: Caller, input: LeaseProof): Promise<RenewedLease>;
    /** Keeps a record of a layer whose image was pushed. @throws LEASE_LOST */
    publish(caller: Caller, input: PublishInput): Promise<void>;
    /** @throws LEASE_LOST */
    finish(caller: Caller, input: FinishAttemptInput): Promise<void>;
    /** Gives the lease back before its work is done, such as when the worker is to stop: another one goes on at once. @throws LEASE_LOST */
    release(caller: Caller, input: LeaseProof): Promise<void>;
  };
  readonly apps: {
    /**
     * Makes these the functions of the app, all at once; those that are the same as before go on as they are.
     * @throws NOT_FOUND for an image that is not built; CONTEXT_MISSING for code that is not there; POOL_UNAVAILABLE; SECRET_MISSING
     */
    deploy(caller: Caller, input: z.output<typeof DeployInput>): Promise<Deployment>;
    /** Those that are not ephemeral, the ones deployed last first; ended ones too. */
    list(caller: Caller): Promise<AppInfo[]>;
    /** By its name, or its id. @throws NOT_FOUND */
    get(caller: Caller, input: { app: string }): Promise<AppInfo>;
    /** Ends its calls and its containers. @throws NOT_FOUND */
    stop(caller: Caller, input: { app: string }): Promise<void>;
    /** Says that an ephemeral app is wanted still. */
    keep(caller: Caller, input: { app: string }): Promise<void>;
  };
  readonly calls: {
    /** Starts calls, and answers with those of them that ended in the time to wait. @throws NOT_FOUND */
    start(caller: Caller, input: z.output<typeof StartCallsInput>): Promise<EndedCall[]>;
    /** Those of these calls that have ended; waits for the first when there is none. @throws NOT_FOUND for a call that there is not */
    wait(caller: Caller, input: z.output<typeof WaitForCallsInput>, signal: AbortSignal): Promise<EndedCall[]>;
    get(caller: Caller, input: { id: string }): Promise<Call>;
    /** The newest first. */
    list(caller: Caller, input: { app?: string | undefined; limit: number }): Promise<Call[]>;
    cancel(caller: Caller, input: { ids: string[] }): Promise<void>;
    logs(caller: Caller, input: z.output<typeof FollowLogsInput>, signal: AbortSignal): AsyncIterable<Tracked<LogBatch>>;
    /** Says that calls have begun, for those who look; nothing depends on it. */
    started(caller: Caller, input: StartedCalls): Promise<void>;
    /** Those of these calls that have not ended, and that the message is still to bring; asked when it comes again. */
    carried(caller: Caller, input: CarriedCalls): Promise<string[]>;
    /** Gives each of these calls a message of its own, since they have not begun and what goes before them takes long. */
    sendApart(caller: Caller, input: CarriedCalls): Promise<void>;
    /** Records how calls ended. What was recorded before stays. */
    finish(caller: Caller, input: FinishCallsInput): Promise<FinishedCalls>;
  };
  readonly shells: {
    /** Resolves when a runner has taken it. @throws NOT_FOUND; POOL_UNAVAILABLE when there is no runner for it */
    open(caller: Caller, input: OpenShellInput): Promise<void>;
    /** @throws SHELL_LOST when there is no such shell any more, as do all that follow */
    write(caller: Caller, input: WriteShellInput): Promise<WrittenToShell>;
    resize(caller: Caller, input: ResizeShellInput): Promise<void>;
    seen(caller: Caller, input: SeenOfShellInput): Promise<void>;
    /** Ends it with its container, now. */
    close(caller: Caller, input: { id: string }): Promise<void>;
    /** Each event once, from the cursor on, up to its end. As long as somebody does so, it goes on. */
    follow(caller: Caller, input: FollowShellInput, signal: AbortSignal): AsyncIterable<Tracked<ShellEvent>>;
  };
  readonly functions: {
    /** What the runners of a pool serve. */
    list(caller: Caller, input: { pool: string }): Promise<ServedFunction[]>;
    /** The values of a function's secrets, for one container. @throws SECRET_MISSING */
    secrets(caller: Caller, input: { id: string }): Promise<Record<string, string>>;
  };
}
