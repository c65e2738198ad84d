/** What the methods of an image take, and the checks that need nothing but the arguments. */
import { badInput, type SourceLocation } from "@lamina/api";
import { normalPackageName } from "@lamina/ir";
import { isAbsolute, posix } from "node:path";
import { Script } from "node:vm";
import { z } from "zod";
import { fault, parseArgument } from "./failure.ts";
import { type Condition, isCondition } from "./local/condition.ts";
import { ignoreFault } from "./local/ignore.ts";
import { isPlain, type OptionsSchema, parseOptions } from "./options.ts";
import { isSecret, type Secret } from "./secret.ts";
import { Variable } from "./variable.ts";

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

export interface PoetryInstallOptions extends RunOptions {
  /** Lets Poetry choose the versions while building, though there is a poetry.lock. */
  readonly ignoreLockfile?: boolean | undefined;
  /** Extras of the project to install too. */
  readonly extras?: readonly string[] | undefined;
  /** Dependency groups to install beside the main one. */
  readonly groups?: readonly string[] | undefined;
}

/** What JSON can say. */
export type Json = z.infer<ReturnType<typeof z.json>>;

export interface RunFunctionOptions extends RunOptions {
  /** What the function is called with: what JSON can say. */
  readonly args?: readonly Json[] | undefined;
}

/** A function of JavaScript, or the file and name of one of Python, as `file.py:name`. */
export type BuildFunction = ((...args: never[]) => unknown) | string;

export interface DockerfileCommandsOptions extends RunOptions {
  /** What COPY and bind mounts find: a path in the context, and the local file or directory that is there. */
  readonly contextFiles?: Readonly<Record<string, string>> | undefined;
}

export interface CopyLocalDirOptions {
  /** Patterns of what is left out, as lines of a .dockerignore. They come after those of the `.dockerignore` in the directory. */
  readonly ignore?: string | readonly string[] | undefined;
  /** Says of each file whether it is copied. It gets the file's path with the given directory in front; without it all are. */
  readonly condition?: Condition | undefined;
}

const text = z.string({ error: "must be a string" });
const filled = text.refine((value) => value.trim() !== "", fault("empty-arguments", "is empty"));
const flag = z.boolean({ error: "must be true or false" }).optional();
const oneOrMore = z.union([filled, z.array(filled).readonly()], { error: "must be a string or a list of strings" }).optional();

const secret = z.custom<Secret>(isSecret, "must be a Secret");

const runOptions = {
  forceBuild: flag,
  secrets: z.array(secret, { error: "must be a list of secrets" }).readonly().optional(),
  gpu: z
    .string()
    .refine(
      (value) => /^(any|[A-Za-z][A-Za-z0-9-]*(:[1-9][0-9]*)?)$/.test(value),
      fault("invalid-gpu", 'must be like "T4", "A100:2", "A100-80GB" or "any"'),
    )
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
const packageNames = z
  .array(
    z
      .string()
      .refine(
        (name) => /^[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?$/.test(name),
        fault("unknown-group", "is not a name: letters, digits, '-', '_' and '.'"),
      ),
    { error: "must be a list of names" },
  )
  .transform((names) => [...new Set(names.map(normalPackageName))].sort())
  .default([]);
export const PoetryInstallOptions = z.strictObject({
  ...runOptions,
  ignoreLockfile: flag,
  extras: packageNames,
  groups: packageNames,
});
const instructions = z
  .array(filled, { error: "must be a list of strings" })
  .refine((list) => list.length > 0, fault("empty-arguments", "must not be empty"))
  .readonly();
export const DockerfileCommandsOptions = z.strictObject({
  ...runOptions,
  contextFiles: z.record(z.string(), filled, { error: "must be an object of paths in the context and local paths" }).optional(),
});
export const RunFunctionOptions = z.strictObject({
  ...runOptions,
  args: z
    .array(z.custom<Json>((value) => isJson(value), "must be what JSON can say").pipe(z.json()), { error: "must be a list" })
    .optional(),
});
/** What leads to itself has no end. */
const DEEPEST_JSON = 500;

function isJson(value: unknown, depth = 0): boolean {
  if (depth > DEEPEST_JSON) return false;
  const parts = Array.isArray(value) ? value : isPlain(value) ? Object.values(value) : undefined;
  if (parts !== undefined) return parts.every((part: unknown) => isJson(part, depth + 1));
  return value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}

export const CopyLocalDirOptions = z.strictObject({
  condition: z.custom<Condition>(isCondition, "must be a function").optional(),
  ignore: oneOrMore.check(({ value, issues }) => {
    for (const input of listed(value)) {
      const problem = ignoreFault(input);
      if (problem === undefined) continue;
      const { error: message, params } = fault("invalid-ignore-pattern", `${JSON.stringify(input)} is no pattern: ${problem}`);
      issues.push({ code: "custom", input, message, params });
    }
  }),
});
export const DebianSlimOptions = z.strictObject(
  {
    pythonVersion: z
      .string({ error: 'must be a string such as "3.12"' })
      .refine(
        (version) => /^3\.(?:\d|[1-9]\d)$/.test(version),
        fault("invalid-python-version", 'must be a major and minor version such as "3.12"'),
      )
      .optional(),
    builderVersion: text.optional(),
  },
  {
    // What is meant is clear where the version alone is given.
    error: ({ input }) =>
      typeof input === "string"
        ? `the options must be an object: write debianSlim({ pythonVersion: ${JSON.stringify(input)} })`
        : undefined,
  },
);
export const FromRegistryOptions = z.strictObject({ secret: secret.optional(), setupDockerfileCommands: instructions.optional() });
export const Variables = z.record(Variable, text, { error: "give an object of variable names and values" });
export const Reference = text;

/** Parts the strings of a call from the options at their end. @throws INVALID_INPUT when there is no string, or something else among them */
export function splitOptions<Options>(
  given: readonly unknown[],
  options: OptionsSchema<Options>,
  call: Call & { readonly what: string },
): { readonly strings: string[]; readonly options: Options } {
  const last = given.at(-1);
  if (given.some(Array.isArray)) {
    const message = `${call.method}: give each ${call.what} as an argument of its own, not in a list: ${call.method}(...list)`;
    throw badInput("invalid-argument", message, call);
  }
  const hasOptions = typeof last === "object" && last !== null;
  const values = hasOptions ? given.slice(0, -1) : given;
  if (values.length === 0) throw badInput("empty-arguments", `${call.method}: give at least one ${call.what}`, call);
  const strings = values.map((value, index) =>
    parseArgument(filled, value, { ...call, method: `${call.method}: ${call.what} ${index + 1}` }),
  );
  return { strings, options: parseOptions(options, hasOptions ? last : {}, call) };
}

/** The options of a poetryInstallFromFile, the names in their normal form. */
export function poetryOptions(options: PoetryInstallOptions, call: Call): z.output<typeof PoetryInstallOptions> {
  return parseOptions(PoetryInstallOptions, options, call);
}

/** The source of a function of JavaScript, as an expression. @throws INVALID_INPUT where there is none that stands by itself */
export function functionSource(handler: (...args: never[]) => unknown, call: Call): { readonly name: string; readonly source: string } {
  const name = /^[A-Za-z_$][\w$]*$/.test(handler.name) ? handler.name : "anonymous";
  const source = handler.toString();
  if (/Generator/.test(Object.prototype.toString.call(handler))) {
    throw badInput(
      "invalid-function",
      `${call.method}: ${name} is a generator, and nobody would ask it for values: give a function that does its work when it is called`,
      call,
    );
  }
  if (/^class\b/.test(source)) throw badInput("invalid-function", `${call.method}: ${name} is a class: give a function`, call);
  const cause = faultOfExpression(source);
  if (cause !== undefined) {
    const message = `${call.method}: the function has no source that stands by itself: give a function or an arrow function, not a method or a bound one`;
    throw badInput("invalid-function", message, { source: call.source, cause });
  }
  return { name, source };
}

/** Of a method or a native function there is one. */
function faultOfExpression(source: string): unknown {
  try {
    const parsed = new Script(`(${source}\n)`);
    return parsed instanceof Script ? undefined : parsed;
  } catch (error) {
    return error;
  }
}

/** The two parts of `file.py:name`. */
export function pythonFunction(given: unknown, call: Call): { readonly file: string; readonly name: string } {
  const [, file, name] = typeof given === "string" ? (/^(.+\.py):([A-Za-z_]\w*)$/.exec(given) ?? []) : [];
  if (file !== undefined && name !== undefined) return { file: localPath(file, call), name };
  throw badInput("invalid-function", `${call.method}: give a function, or one of Python as "file.py:name"`, { source: call.source });
}

/** Instructions of a Dockerfile, one or several in each string. */
export function instructionList(value: unknown, call: Call): readonly string[] {
  return parseArgument(instructions, value, { ...call, method: `${call.method}: the instructions` });
}

/** A path in a context, in its normal form. */
export function contextPath(value: string, call: Call): string {
  const path = posix.normalize(value).replace(/\/$/, "");
  const isOutside = posix.isAbsolute(path) || path === ".." || path.startsWith("../") || value === "" || value.includes("\0");
  if (!isOutside && !path.split("/").some((part) => part.startsWith(".wh."))) return path;
  const message = `${call.method}: contextFiles: "${value}" is no path in the context, which is relative, leads nowhere else and has no name that begins with .wh.`;
  throw badInput("invalid-context-path", message, call);
}

/** A local path that was given. */
export function localPath(value: unknown, call: Call): string {
  const path = filled.refine((given) => !given.includes("\0"), fault("invalid-local-path", "holds a NUL, which no path can"));
  return parseArgument(path, value, { ...call, method: `${call.method}: the local path` });
}

/** One value or several, as a list. */
export function listed(values: string | readonly string[] | undefined): readonly string[] {
  return typeof values === "string" ? [values] : (values ?? []);
}

/**
 * Where local files go in the image. Without a remote path, a relative local path keeps itself, under the image's working directory.
 * @throws INVALID_INPUT for a local path that is absolute, leads out of the working directory or begins with ~, and has no remote path
 */
export function destinationOf(local: string, remote: string | undefined, call: Call): string {
  if (remote !== undefined) return remotePath(remote, call);
  if (local.startsWith("~")) {
    throw badInput(
      "invalid-local-path",
      `${call.method}: the local path "${local}" begins with ~, which only a shell replaces: write it in full`,
      call,
    );
  }
  const normal = posix.normalize(local);
  if (isAbsolute(normal) || normal === ".." || normal.startsWith("../")) {
    const message = `${call.method}: "${local}" lies outside the working directory; say where it goes in the image, as the second argument`;
    throw badInput("missing-remote-path", message, call);
  }
  return normal;
}

/** A path in the image, in its normal form; one with a part `..`, which has none without the image's links, stays as it is and is refused later. */
export function remotePath(value: unknown, call: Call): string {
  const path = parseArgument(filled, value, { ...call, method: `${call.method}: the path in the image` });
  return path.split("/").includes("..") ? path : posix.normalize(path);
}
