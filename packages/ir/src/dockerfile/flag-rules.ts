/** Which flags an instruction takes, and with which values. */
import type { Flag } from "./flags.ts";
import { FragmentError } from "./fragment-error.ts";
import { IMAGE_BY_DIGEST } from "./image-by-digest.ts";
import { checkMount } from "./mount.ts";
import type { Instruction } from "./read.ts";

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

const matching =
  (pattern: RegExp, like: string): Rule =>
  (value) =>
    value !== undefined && (pattern.test(value) || value.includes("$")) ? undefined : `has to be like ${like}`;

const text: Rule = (value) => (value === undefined || value === "" ? "needs a value" : undefined);
const flag: Rule = (value) => (value === undefined || /^(true|false)$/i.test(value) ? undefined : "is either true or false");
const mode = matching(/^([0-7]{1,4}|[ugoa]*([-+=][rwxXstugo]*)+(,[ugoa]*([-+=][rwxXstugo]*)+)*)$/, '"0755" or "u+x"');
const duration = matching(/^(0|(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+)$/, '"30s"');

const copied = { chown: text, chmod: mode, link: flag, exclude: text };

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
    checksum: matching(/^([0-9a-f]{40}|[a-z0-9]+:[0-9a-f]{32,})$/, '"sha256:…", or a commit for a git repository'),
  },
  HEALTHCHECK: {
    interval: duration,
    timeout: duration,
    "start-period": duration,
    "start-interval": duration,
    retries: matching(/^\d{1,9}$/, '"3"'),
  },
};
