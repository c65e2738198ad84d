/**
 * The operations of an image definition, as the SDKs write them and as they are once everything
 * that the outside decides is filled in. One operation is one method call and makes one layer.
 */
import { z } from "zod";

/** A content digest in the form of the OCI image specification; SHA-256 only. */
export const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
export type Digest = z.infer<typeof Digest>;

/** The name of an environment variable that a shell can expand. */
export const VariableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/);

/** The name under which a workspace keeps a secret. */
export const SecretName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/);

/**
 * A secret that an operation uses. An inline one names its variables, and its values travel beside
 * the build request; a named one is looked up by the server. Values are never part of a definition.
 */
export const SecretReference = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("inline"), variables: z.array(VariableName).min(1) }),
  z.strictObject({ kind: z.literal("named"), name: SecretName }),
]);
export type SecretReference = z.infer<typeof SecretReference>;

const secretReferences = z.array(SecretReference).min(1).optional();
const secretVariables = z.array(VariableName).min(1).optional();

/** A GPU request, kept as it was written: "T4", "A100:2", "A100-80GB" or "any". */
const gpu = z
  .string()
  .regex(/^(any|[A-Za-z][A-Za-z0-9-]*(:[1-9][0-9]*)?)$/)
  .optional();

/** No argument of a step may hold NUL: it ends a string for every program that would read it. */
const text = z.string().regex(/^[^\0]*$/);

const pipInstall = z.strictObject({
  kind: z.literal("pipInstall"),
  /** Requirements and flags, in the order in which they were given. */
  arguments: z.array(text),
  findLinks: text.optional(),
  indexUrl: text.optional(),
  extraIndexUrl: text.optional(),
  pre: z.literal(true).optional(),
  gpu,
});
const runCommands = z.strictObject({
  kind: z.literal("runCommands"),
  commands: z.array(text).min(1),
  gpu,
});
const aptInstall = z.strictObject({
  kind: z.literal("aptInstall"),
  arguments: z.array(text).min(1),
  gpu,
});
const copyLocalFile = z.strictObject({
  kind: z.literal("copyLocalFile"),
  /** A tree with one entry, the file. */
  tree: Digest,
  /** Absolute, or relative to the image's working directory; with a trailing slash, a directory to put the file in. */
  destination: text.min(1),
});
const copyLocalDir = z.strictObject({
  kind: z.literal("copyLocalDir"),
  tree: Digest,
  destination: text.min(1),
});
const addPythonPackages = z.strictObject({
  kind: z.literal("addPythonPackages"),
  /** Package n, counted from 1, is in it as `n/<name>`. */
  tree: Digest,
  packages: z
    .array(
      z.strictObject({
        /** A `project` is a directory that a build backend makes a wheel of; a `module` is one that is imported as it is. */
        kind: z.enum(["wheel", "sdist", "project", "module"]),
        /** Of the file or directory. */
        name: text.min(1),
      }),
    )
    .min(1),
  gpu,
});
/** The name of an extra or a group, in its normal form and sorted. */
const sortedNames = z
  .array(z.string().regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/))
  .min(1)
  .optional();
const poetryInstallFromFile = z.strictObject({
  kind: z.literal("poetryInstallFromFile"),
  /** Holds `pyproject.toml`, and `poetry.lock` where what it locks is installed. */
  tree: Digest,
  extras: sortedNames,
  /** Beside the main group. */
  groups: sortedNames,
  gpu,
});
const dockerfileCommands = z.strictObject({
  kind: z.literal("dockerfileCommands"),
  /** Instructions of a Dockerfile, in each command one or several whole ones. */
  commands: z.array(text).min(1),
  /** The context: the files that COPY and bind mounts find. */
  tree: Digest.optional(),
  gpu,
});
/** JSON, in which a function that runs while building gets its arguments. */
const json = z.json();
const runFunction = z.strictObject({
  kind: z.literal("runFunction"),
  language: z.enum(["python", "javascript"]),
  /** Of the function: in Python where it is found in the source, in JavaScript for people. */
  name: z.string().regex(/^[A-Za-z_$][\w$]{0,126}$/),
  /** Python: a module that defines it. JavaScript: the expression that is the function. */
  source: text.min(1),
  args: z.array(json).min(1).optional(),
  /** Python only. */
  kwargs: z.record(z.string(), json).optional(),
  gpu,
});
const env = z.strictObject({ kind: z.literal("env"), variables: z.record(VariableName, text) });
const workdir = z.strictObject({ kind: z.literal("workdir"), path: text.min(1) });

/** The variables that the secret of a base in a private registry has to bring. */
export const REGISTRY_VARIABLES = ["REGISTRY_USERNAME", "REGISTRY_PASSWORD"] as const;

/** What an image starts from, as it was written. */
export const BaseOperation = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("debianSlim"), pythonVersion: z.string().regex(/^3\.(?:\d|[1-9]\d)$/) }),
  z.strictObject({
    kind: z.literal("fromRegistry"),
    reference: text.min(1),
    /** Brings {@link REGISTRY_VARIABLES}, the credentials of the registry. */
    secret: SecretReference.optional(),
  }),
]);
export type BaseOperation = z.infer<typeof BaseOperation>;

/** An operation that adds to what is there, as it was written. */
export const StepOperation = z.discriminatedUnion("kind", [
  pipInstall.extend({ secrets: secretReferences }),
  runCommands.extend({ secrets: secretReferences }),
  aptInstall.extend({ secrets: secretReferences }),
  addPythonPackages.extend({ secrets: secretReferences }),
  poetryInstallFromFile.extend({ secrets: secretReferences }),
  dockerfileCommands.extend({ secrets: secretReferences }),
  runFunction.extend({ secrets: secretReferences }),
  copyLocalFile,
  copyLocalDir,
  env,
  workdir,
]);
export type StepOperation = z.infer<typeof StepOperation>;

export const Operation = z.union([BaseOperation, StepOperation]);
export type Operation = z.infer<typeof Operation>;

/** A base is the digest of its manifest for one platform, wherever it was pulled from. */
export const ResolvedBase = z.strictObject({ kind: z.literal("base"), digest: Digest });
export type ResolvedBase = z.infer<typeof ResolvedBase>;

/** A step whose secrets are the sorted names of the variables that they bring. */
export const ResolvedStep = z.discriminatedUnion("kind", [
  pipInstall.extend({ secrets: secretVariables }),
  runCommands.extend({ secrets: secretVariables }),
  aptInstall.extend({ secrets: secretVariables }),
  addPythonPackages.extend({ secrets: secretVariables }),
  poetryInstallFromFile.extend({ secrets: secretVariables }),
  dockerfileCommands.extend({ secrets: secretVariables }),
  runFunction.extend({ secrets: secretVariables }),
  copyLocalFile,
  copyLocalDir,
  env,
  workdir,
]);
export type ResolvedStep = z.infer<typeof ResolvedStep>;

export type ResolvedOperation = ResolvedBase | ResolvedStep;

/** The platform of an image, in the form of the OCI image specification. */
export const Platform = z.enum(["linux/amd64", "linux/arm64"]);
export type Platform = z.infer<typeof Platform>;

/**
 * An image as its author wrote it: a base, then steps, each layer on top of the one before.
 * Without a platform the server fills in the one that its builders make.
 */
export const Definition = z.strictObject({
  builderVersion: z.string().min(1),
  platform: Platform.optional(),
  base: BaseOperation,
  steps: z.array(StepOperation),
});
export type Definition = z.infer<typeof Definition>;

/** The same with everything that the outside decides filled in; the ids of its layers follow from it alone. */
export const ResolvedDefinition = z.strictObject({
  builderVersion: z.string().min(1),
  platform: Platform,
  base: ResolvedBase,
  steps: z.array(ResolvedStep),
});
export type ResolvedDefinition = z.infer<typeof ResolvedDefinition>;
