/** What the methods of an image take, and the checks that need nothing but the arguments. */
import type { SourceLocation } from "@lamina/api";
import { VariableName } from "@lamina/ir";
import { isAbsolute, posix } from "node:path";
import { z } from "zod";
import { invalidInput, parseArgument } from "./failure.ts";
import { type Condition, isCondition } from "./local/condition.ts";
import { isSecret, type Secret } from "./secret.ts";

/** Strings, then options if there are any. */
export type WithOptions<Options> = readonly string[] | readonly [...strings: string[], options: Options];

/** The method that was called, and where. */
export interface Call {
  readonly method: string;
  readonly source: SourceLocation | null;
}

/** What every step that runs something takes. */
export interface RunOptions {
  /** Makes this layer and those after it anew, whatever is cached. */
  readonly forceBuild?: boolean | undefined;
  /** Whose variables the step sees while it runs. */
  readonly secrets?: readonly Secret[] | undefined;
  /** The GPU to run the step with: "T4", "A100:2", "A100-80GB" or "any". */
  readonly gpu?: string | undefined;
}

export interface PipInstallOptions extends RunOptions {
  /** Pages or directories in the image to look for packages at, beside the index. */
  readonly findLinks?: string | readonly string[] | undefined;
  /** The package index to use instead of the default one. */
  readonly indexUrl?: string | undefined;
  /** Package indexes to use beside it. */
  readonly extraIndexUrl?: string | readonly string[] | undefined;
  /** Takes pre-release versions too. */
  readonly pre?: boolean | undefined;
}

export interface CopyLocalDirOptions {
  /** Says of each file whether it is copied. It gets the file's path with the given directory in front; without it all are. */
  readonly condition?: Condition | undefined;
}

const text = z.string({ error: "must be a string" });
const filled = text.refine((value) => value.trim() !== "", "is empty");
const flag = z.boolean({ error: "must be true or false" }).optional();
const oneOrMore = z.union([filled, z.array(filled).readonly()], { error: "must be a string or a list of strings" }).optional();

const runOptions = {
  forceBuild: flag,
  secrets: z.array(z.custom<Secret>(isSecret, "must be a Secret"), { error: "must be a list of secrets" }).readonly().optional(),
  gpu: z
    .string()
    .regex(/^(any|[A-Za-z][A-Za-z0-9-]*(:[1-9][0-9]*)?)$/, 'must be like "T4", "A100:2", "A100-80GB" or "any"')
    .optional(),
};

export const RunOptions = z.strictObject(runOptions);
export const PipInstallOptions = z.strictObject({
  ...runOptions,
  findLinks: oneOrMore,
  indexUrl: filled.optional(),
  extraIndexUrl: oneOrMore,
  pre: flag,
});
export const CopyLocalDirOptions = z.strictObject({ condition: z.custom<Condition>(isCondition, "must be a function").optional() });
export const DebianSlimOptions = z.strictObject({
  pythonVersion: z
    .string({ error: 'must be a string such as "3.12"' })
    .regex(/^3\.\d{1,2}$/, 'must be a major and minor version such as "3.12"')
    .optional(),
  builderVersion: z.string().optional(),
});
/** Where options may come later: one that is given is refused rather than ignored. */
export const NoOptions = z.strictObject({});
export type NoOptions = z.infer<typeof NoOptions>;
export const Variables = z.record(
  z
    .string()
    .refine((name) => VariableName.safeParse(name).success, "a variable's name is letters, digits and _, and does not begin with a digit"),
  text,
  { error: "give an object of variable names and values" },
);
export const Reference = text.regex(/^[^\s-]\S*$/, 'is not an image reference such as "python:3.12-slim"');

/** Parts the strings of a call from the options at their end. @throws INVALID_INPUT when there is no string, or something else among them */
export function splitOptions<Options>(
  given: readonly unknown[],
  options: z.ZodType<Options>,
  call: Call & { readonly what: string },
): { readonly strings: string[]; readonly options: Options } {
  const last = given.at(-1);
  const hasOptions = typeof last === "object" && last !== null;
  const values = hasOptions ? given.slice(0, -1) : given;
  if (values.length === 0) throw invalidInput(`${call.method}: give at least one ${call.what}`, call.source);
  const strings = values.map((value, index) =>
    parseArgument(filled, value, { ...call, method: `${call.method}: ${call.what} ${index + 1}` }),
  );
  return { strings, options: parseArgument(options, hasOptions ? last : {}, call) };
}

/** A local path that was given. */
export function localPath(value: unknown, call: Call): string {
  return parseArgument(filled, value, { ...call, method: `${call.method}: the local path` });
}

/**
 * Where local files go in the image. Without a remote path, a relative local path keeps itself, under the image's working directory.
 * @throws INVALID_INPUT for a local path that is absolute or leads out of the working directory and has no remote path
 */
export function destinationOf(local: string, remote: string | undefined, call: Call): string {
  if (remote !== undefined) return remotePath(remote, call);
  const normal = posix.normalize(local);
  if (isAbsolute(normal) || normal === ".." || normal.startsWith("../")) {
    throw invalidInput(
      `${call.method}: "${local}" lies outside the working directory; say where it goes in the image, as the second argument`,
      call.source,
    );
  }
  return normal;
}

/** A path in the image, in its normal form; one with a part `..`, which has none without the image's links, stays as it is and is refused later. */
export function remotePath(value: unknown, call: Call): string {
  const path = parseArgument(filled, value, { ...call, method: `${call.method}: the path in the image` });
  return path.split("/").includes("..") ? path : posix.normalize(path);
}
