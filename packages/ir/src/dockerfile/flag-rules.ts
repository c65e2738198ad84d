/** Which flags an instruction takes, and with which values. */
import type { Flag } from "./flags.ts";
import { FragmentError } from "./fragment-error.ts";
import { IMAGE_BY_DIGEST } from "./image-by-digest.ts";
import { checkMount } from "./mount.ts";
import type { Instruction } from "./read.ts";
import { userFault } from "./user.ts";

/** @throws {FragmentError} for a flag that the instruction does not take, or not with that value */
export function checkFlags(instruction: Instruction): void {
  const { keyword, flags, place } = instruction;
  const rules = RULES[keyword] ?? {};
  const seen = new Set<string>();
  for (const flag of flags) {
    const rule = Object.hasOwn(rules, flag.name) ? rules[flag.name] : undefined;
    if (rule === undefined) throw new FragmentError(place, `${keyword} has no flag --${flag.name}`);
    if (seen.has(flag.name) && !REPEATED.has(flag.name)) throw new FragmentError(place, `${keyword} has --${flag.name} twice`);
    seen.add(flag.name);
    const fault = NOT_ASCII.test(flag.value ?? "") ? "holds a character that BuildKit does not take in a flag" : rule(flag.value);
    if (fault !== undefined) throw new FragmentError(place, `${keyword} --${flag.name} ${fault}`);
  }
}

/** The values of a flag that may come several times. */
export function flagValues(flags: readonly Flag[], name: string): string[] {
  return flags.flatMap((flag) => (flag.name === name && flag.value !== undefined ? [flag.value] : []));
}

export function hasFlag(flags: readonly Flag[], name: string): boolean {
  return flags.some((flag) => flag.name === name && flag.value?.toLowerCase() !== "false");
}

/** BuildKit reads flags byte by byte. */
const NOT_ASCII = /[^\t -~]/;

/** What is wrong with the value of a flag. */
type Rule = (value: string | undefined) => string | undefined;

const REPEATED = new Set(["mount", "exclude"]);

/** What BuildKit expands variables in may have any value before it has. */
const matching =
  (pattern: RegExp, like: string, expands = true): Rule =>
  (value) =>
    value !== undefined && (pattern.test(value) || (expands && value.includes("$"))) ? undefined : `has to be like ${like}`;

const text: Rule = (value) => (value === undefined || value === "" ? "needs a value" : undefined);
const flag: Rule = (value) => (value === undefined || /^(true|false)$/i.test(value) ? undefined : "is either true or false");
const change = "([-+][rwxXstugo]+|=[rwxXstugo]*)+";
const mode = matching(new RegExp(`^([0-7]{1,4}|[ugoa]*${change}(,[ugoa]*${change})*)$`), '"0755" or "u+x"');
const owner: Rule = (value) => text(value) ?? userFault(value ?? "");
/** Go's path.Match. */
const pattern = matching(/^(\\.|\[\^?(\\.|[^\]\\])+\]|[^[\\])+$/s, '"*.md" or "[a-c]*"');

/** HEALTHCHECK expands no variables. */
const duration: Rule = (value) => {
  const fault = matching(/^(0|(\d+(\.\d+)?(ns|us|ms|s|m|h))+)$/, '"30s"', false)(value);
  if (fault !== undefined || value === "0") return fault;
  const nanoseconds = Array.from(value?.matchAll(/([\d.]+)([a-z]+)/g) ?? []).reduce(
    (sum, [, count, unit = ""]) => sum + Number(count) * (NANOSECONDS[unit] ?? 0),
    0,
  );
  if (nanoseconds > 0 && nanoseconds < 1e6) return "is at least 1ms";
  return nanoseconds > LONGEST_DURATION ? "is too long: 2562047h, which is 292 years, is the most" : undefined;
};
const NANOSECONDS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 6e10, h: 3.6e12 };
/** As hours that a number holds exactly; Go's own limit is within the next. */
const LONGEST_DURATION = 2_562_047 * 3.6e12;

const copied = { chown: owner, chmod: mode, link: flag, exclude: pattern };

const RULES: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  RUN: {
    mount: (value) => (value === undefined ? "needs a value" : checkMount(value)),
    network: (value) =>
      value === "none" || value === "default" ? undefined : "is none or default: a build does not get the network of its host",
    security: (value) => (value === "sandbox" ? undefined : "is sandbox: a build gets no further rights"),
    device: () => "cannot stand here: ask for a GPU by the option gpu, which finds a builder that has one",
  },
  COPY: {
    ...copied,
    parents: flag,
    from: (value) =>
      value !== undefined && IMAGE_BY_DIGEST.test(value)
        ? undefined
        : "takes an image by its digest, as in host/repository@sha256:…: there are no other stages here, and a tag may mean another image tomorrow",
  },
  ADD: {
    ...copied,
    "keep-git-dir": flag,
    unpack: flag,
    checksum: matching(
      /^([0-9a-f]{40}|[0-9a-f]{64}|sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/,
      '"sha256:…", or a commit for a git repository',
    ),
  },
  HEALTHCHECK: {
    interval: duration,
    timeout: duration,
    "start-period": duration,
    "start-interval": duration,
    retries: matching(/^\d{1,9}$/, '"3"', false),
  },
};
