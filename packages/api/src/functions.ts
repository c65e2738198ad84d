/** Apps and their functions, as they are deployed, and as runners serve them. */
import { Digest, SecretName, VariableName } from "@lamina/ir";
import { z } from "zod";
import { ImageLocation } from "./images.ts";

export const AppName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/);
/** A function's or a class's; in Python a qualified name. */
export const FunctionName = z.string().regex(/^[A-Za-z_$][\w$.-]{0,126}$/);

/** What the harness calls. Paths and modules are those of the function's code. */
export const EntryPoint = z.discriminatedUnion("language", [
  z.strictObject({ language: z.literal("python"), module: z.string().min(1), name: z.string().min(1) }),
  /** A bundle, and the name under which the function is registered when it is imported. */
  z.strictObject({ language: z.literal("typescript"), file: z.string().min(1), name: z.string().min(1) }),
]);
export type EntryPoint = z.infer<typeof EntryPoint>;

/** The names by which arguments can be given to a function in TypeScript, which itself knows them by their order. */
export const ParameterNames = z.discriminatedUnion("kind", [
  /** In order, one name each. */
  z.strictObject({ kind: z.literal("list"), names: z.array(z.string()) }),
  /** One object that is taken apart by these names. `isOpen`: the rest of it is taken as well, under whatever names. */
  z.strictObject({ kind: z.literal("object"), names: z.array(z.string()), isOpen: z.boolean() }),
]);
export type ParameterNames = z.infer<typeof ParameterNames>;

export const RetryPolicy = z.strictObject({
  /** How often a call that failed is tried again. */
  max: z.int().min(0).max(100),
  /** Milliseconds before the first of these. */
  delayMs: z.int().min(0).max(3_600_000).default(1_000),
  /** What the delay is multiplied by each time. */
  factor: z.number().min(1).max(10).default(2),
  longestDelayMs: z.int().min(0).max(3_600_000).default(60_000),
});
export type RetryPolicy = z.infer<typeof RetryPolicy>;

/** What of a function does not need the platform to be known. */
export const FunctionSpec = z.strictObject({
  name: FunctionName,
  /** The tree of its code. */
  code: Digest,
  entry: EntryPoint,
  /** The methods of a class, which is set up once a container. Without it this is a function. */
  methods: z.array(FunctionName).min(1).optional(),
  /** GPU requests in the order of preference. */
  gpu: z.array(z.string()).default([]),
  /** Processors that a container may use. */
  cpu: z.number().min(0.1).max(1_024).default(1),
  memoryMib: z.int().min(32).default(1_024),
  timeoutSeconds: z.number().min(0.1).max(86_400).default(300),
  retries: RetryPolicy.optional(),
  minContainers: z.int().min(0).max(1_000).default(0),
  maxContainers: z.int().min(1).max(1_000).default(8),
  /** Inputs that one container takes at once. */
  concurrency: z.int().min(1).max(1_000).default(1),
  /** How long a container that has nothing to do is kept. */
  idleSeconds: z.number().min(0).max(86_400).default(60),
});
export type FunctionSpec = z.infer<typeof FunctionSpec>;

export const DeployedFunction = FunctionSpec.extend({
  /** The id of an image that was built. */
  image: z.string().regex(/^[0-9a-f]{64}$/),
  /** Of each method by its name, of a function by its own; those that could not be read are left out. */
  parameters: z.record(FunctionName, ParameterNames).optional(),
  secrets: z
    .array(
      z.discriminatedUnion("kind", [
        /** Its values come with the deployment. */
        z.strictObject({ kind: z.literal("inline"), variables: z.array(VariableName).min(1) }),
        z.strictObject({ kind: z.literal("named"), name: SecretName }),
      ]),
    )
    .default([]),
});
export type DeployedFunction = z.input<typeof DeployedFunction>;

export const DeployInput = z.object({
  app: AppName,
  functions: z.array(DeployedFunction).min(1),
  /** Values of the inline secrets. */
  secrets: z.record(VariableName, z.string()).default({}),
  /** Chosen by who asks. Such an app has no name for others, and ends when nobody says any more that it is wanted. */
  ephemeral: z.uuid({ version: "v7" }).optional(),
});
export type DeployInput = z.input<typeof DeployInput>;
/** Seconds after which an ephemeral app ends that nobody asked to keep. */
export const EPHEMERAL_SECONDS = 60;

export const Deployment = z.object({
  /** The app's id: calls name it, or its name. */
  app: z.string(),
  name: z.string(),
  /** Counted from 1. The same functions deployed again are the same version. */
  version: z.int(),
  functions: z.array(
    z.object({
      name: z.string(),
      /** Of its version; one that is deployed again as it was keeps it. */
      id: z.string(),
      image: z.string(),
      language: z.enum(["python", "typescript"]),
      methods: z.array(z.string()).optional(),
      parameters: DeployedFunction.shape.parameters,
    }),
  ),
});
export type Deployment = z.infer<typeof Deployment>;

export const AppInfo = Deployment.extend({
  state: z.enum(["active", "stopped"]),
  ephemeral: z.boolean(),
  createdAt: z.string(),
  deployedAt: z.string(),
  /** Calls that have not ended. */
  pending: z.int(),
});
export type AppInfo = z.infer<typeof AppInfo>;

/** One version of a function, as a runner serves it. */
export const ServedFunction = FunctionSpec.extend({
  id: z.string(),
  /** Whose it is, and what it gives. */
  workspace: z.string(),
  /** The app's id and its name. */
  app: z.string(),
  appName: z.string(),
  image: ImageLocation,
  /** The manifest of its code's tree, in the repository of contexts. */
  codeLocation: ImageLocation,
  /** The number of GPUs that a container of it has to itself. */
  gpus: z.int().min(0),
  /** One that is drained has been replaced: it finishes what it has. */
  state: z.enum(["active", "draining"]),
});
export type ServedFunction = z.infer<typeof ServedFunction>;
