/**
 * The arguments of a pipInstall: which of them hold secrets, and so have to be read from a
 * requirements file, where pip and uv expand `${NAME}` themselves; and whether uv knows them all.
 */
import type { ResolvedStep } from "../operation.ts";
import { isIdle, PIP_FLAGS, UV_FLAGS, valueOfFlag } from "./pip-flags.ts";

export interface PipArguments {
  /** Given on the command line. */
  readonly words: readonly string[];
  /** Lines of a requirements file. */
  readonly lines: readonly string[];
  /** Arguments that hold a reference and fit neither. */
  readonly misplaced: readonly string[];
}

type PipInstall = Pick<Extract<ResolvedStep, { kind: "pipInstall" }>, "arguments" | "findLinks" | "indexUrl" | "extraIndexUrl" | "pre">;

/** All arguments of the operation, its named options as flags in front. */
export function pipArguments(step: PipInstall): string[] {
  const option = (flag: string, value: string | undefined): string[] => (value === undefined ? [] : [flag, value]);
  return [
    ...option("--index-url", step.indexUrl),
    ...option("--extra-index-url", step.extraIndexUrl),
    ...option("--find-links", step.findLinks),
    ...(step.pre ? ["--pre"] : []),
    ...step.arguments,
  ];
}

/** The names in `${NAME}` references, each once. */
export function referencesIn(text: string): string[] {
  return [...new Set(Array.from(text.matchAll(REFERENCE), ([, name]) => name ?? ""))];
}

/** The arguments that are requirements for certain: no flags, nor what may be the value of one. */
export function requirementsIn(args: readonly string[]): string[] {
  return args.filter((argument, index) => !argument.startsWith("-") && !mayTakeValue(args[index - 1] ?? ""));
}

/** The values of the options that name a package index. */
export function indexesIn(args: readonly string[]): string[] {
  return args.flatMap((argument, index) => {
    if (isIndexOption(args[index - 1] ?? "")) return [argument];
    const [name = "", value = ""] = optionOf(argument);
    return value !== "" && isIndexOption(name) ? [value] : [];
  });
}

/** Whether it is a flag that takes no value, whichever program installs. */
export function isSwitch(argument: string): boolean {
  const values = isFlag(argument) ? [UV_FLAGS, PIP_FLAGS].flatMap((flags) => valueOfFlag(argument, flags) ?? []) : [];
  return values.length > 0 && values.every((value) => value === "none");
}

/** A flag that the program which installs does not have, that its value is missing of, or with which nothing is installed. */
export interface WrongFlag {
  readonly flag: string;
  readonly problem: "unknown" | "no value" | "idle";
  readonly installer: "uv" | "pip";
}

/** The first flag that is wrong for the program that installs these. What follows a `--` is no flag. */
export function wrongFlag(args: readonly string[]): WrongFlag | undefined {
  const installer = uvUnderstands(args) ? "uv" : "pip";
  const flags = installer === "uv" ? UV_FLAGS : PIP_FLAGS;
  let waiting: string | undefined;
  for (const argument of args) {
    if (waiting !== undefined) {
      waiting = undefined;
      continue;
    }
    if (argument === "--") return undefined;
    if (!isFlag(argument)) continue;
    const value = valueOfFlag(argument, flags);
    if (value === undefined) return { flag: argument, problem: "unknown", installer };
    if (isIdle(argument, flags)) return { flag: argument, problem: "idle", installer };
    if (value === "next") waiting = argument;
  }
  return waiting === undefined ? undefined : { flag: waiting, problem: "no value", installer };
}

/** Writes the references of a text anew. */
export function replaceReferences(text: string, replacement: (name: string) => string): string {
  return text.replace(REFERENCE, (_, name: string) => replacement(name));
}

/** Divides arguments into those of the command line and those that hold references. */
export function divideArguments(args: readonly string[]): PipArguments {
  const words: string[] = [];
  const lines: string[] = [];
  const misplaced: string[] = [];
  args.forEach((argument, index) => {
    const previous = args[index - 1] ?? "";
    if (referencesIn(argument).length === 0) {
      words.push(argument);
      return;
    }
    const line = requirementsLine(argument, previous);
    if (line === undefined) misplaced.push(argument);
    else {
      lines.push(line);
      if (FILE_OPTIONS.has(previous)) words.pop();
    }
  });
  return { words, lines, misplaced };
}

/** Whether uv takes all of these arguments, and takes them as pip does. */
export function uvUnderstands(args: readonly string[]): boolean {
  return !args.some((argument, index) => {
    const [name = "", value = args[index + 1]] = argument.startsWith("--") ? splitOnce(argument, "=") : [argument];
    if (name === "--keyring-provider") return value === "auto" || value === "import";
    return PIP_ONLY_FLAGS.has(name) || PIP_ONLY_CLUSTER.test(argument);
  });
}

const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** Options that a requirements file can hold, and that take a value. */
const FILE_OPTIONS = new Map([
  ["-i", "--index-url"],
  ["--index-url", "--index-url"],
  ["--pypi-url", "--index-url"],
  ["--extra-index-url", "--extra-index-url"],
  ["-f", "--find-links"],
  ["--find-links", "--find-links"],
  ["-e", "--editable"],
  ["--editable", "--editable"],
  ["-c", "--constraint"],
  ["--constraint", "--constraint"],
  ["-r", "--requirement"],
  ["--requirement", "--requirement"],
]);

/** Flags of pip that uv lacks or refuses. */
const PIP_ONLY_FLAGS: ReadonlySet<string> = new Set(
  [...PIP_FLAGS.switches, ...PIP_FLAGS.options].filter((flag) => valueOfFlag(flag, UV_FLAGS) === undefined),
);

/** `-I` alone or among other letters that take no value. */
const PIP_ONLY_CLUSTER = /^-[UqvI]*I[UqvI]*$/;

function requirementsLine(argument: string, previous: string): string | undefined {
  if (argument.includes("\n")) return undefined;
  if (!argument.startsWith("-")) {
    const option = FILE_OPTIONS.get(previous);
    if (option !== undefined) return `${option} ${argument}`;
    return mayTakeValue(previous) ? undefined : argument;
  }
  const [name, value] = optionOf(argument);
  const option = FILE_OPTIONS.get(name ?? "");
  return option === undefined || value === undefined ? undefined : `${option} ${value}`;
}

/** Whether the argument after it may be its value. */
export function mayTakeValue(argument: string): boolean {
  return argument.startsWith("-") && !argument.includes("=") && !isSwitch(argument);
}

function isFlag(argument: string): boolean {
  return argument.startsWith("-") && argument !== "-";
}

function isIndexOption(name: string): boolean {
  const option = FILE_OPTIONS.get(name);
  return option === "--index-url" || option === "--extra-index-url";
}

/** The name of an option, and the value that is given with it in one argument. */
function optionOf(argument: string): string[] {
  return argument.startsWith("--") ? splitOnce(argument, "=") : [argument.slice(0, 2), argument.slice(2)];
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
