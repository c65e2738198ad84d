/** Instructions as they are once their variables have values. */
import type { Flag } from "./flags.ts";
import { FragmentError } from "./fragment-error.ts";
import { heredocWord } from "./heredoc.ts";
import type { Instruction } from "./read.ts";
import { NOT_EXPANDED } from "./rules.ts";
import { expanded, type Values } from "./values.ts";
import { requiredVariables, splitAtSpace } from "./words.ts";

/** What is known of variables where an instruction stands. */
export interface KnownVariables {
  readonly values: Values;
  /** Whether those of the base are among them, so that another has no value. */
  readonly isBaseKnown: boolean;
}

/** Instructions that can do nothing with a variable that has no value; ENV and LABEL can. */
const EXPANDED_WHOLE = new Set(["USER", "WORKDIR", "STOPSIGNAL"]);
const EXPANDED_BY_WORD = new Set(["COPY", "ADD", "EXPOSE", "VOLUME"]);
const WITH_EXPANDED_FLAGS = new Set(["RUN", "COPY", "ADD"]);

/**
 * The same with the values of its variables in their place, as far as they are known; undefined where that changes nothing.
 * @throws {FragmentError} for a variable that has no value where one is needed
 */
export function withValues(instruction: Instruction, known: KnownVariables): Instruction | undefined {
  const { keyword, flags, rest, json } = instruction;
  checkRequired(instruction, known);
  const valueOf = (text: string): string => textWithValues(text, instruction, known);
  const newFlags = WITH_EXPANDED_FLAGS.has(keyword) ? flags.map((flag) => flagWithValues(flag, valueOf)) : flags;
  const newJson = EXPANDED_BY_WORD.has(keyword) ? json?.map(valueOf) : json;
  const newRest = EXPANDED_WHOLE.has(keyword) ? valueOf(rest) : wordsWithValues(instruction, valueOf);
  const isSame =
    newRest === rest && newFlags.every((flag, index) => flag === flags[index]) && (newJson ?? []).join() === (json ?? []).join();
  return isSame ? undefined : { ...instruction, flags: newFlags, json: newJson, rest: newRest };
}

function wordsWithValues({ keyword, rest, json }: Instruction, valueOf: (text: string) => string): string {
  if (!EXPANDED_BY_WORD.has(keyword) || json !== undefined || !rest.includes("$")) return rest;
  return splitAtSpace(rest)
    .map((word) => (heredocWord(word) === undefined ? valueOf(word) : word))
    .join(" ");
}

/** A value can make no further words or fields, so one that would in a text is left to the build. */
function textWithValues(text: string, { keyword, place }: Instruction, { values, isBaseKnown }: KnownVariables): string {
  const value = expanded(text, values);
  if (value.kind === "unset" && isBaseKnown) {
    const message = `${keyword} has ${JSON.stringify(text)}, and nothing before it sets ${value.name}: give it a value by ENV or ARG`;
    throw new FragmentError(place, message);
  }
  return value.kind === "known" && /^[!-~]*$/.test(value.text) ? value.text : text;
}

function flagWithValues(flag: Flag, valueOf: (text: string) => string): Flag {
  if (flag.value?.includes("$") !== true) return flag;
  const value = valueOf(flag.value);
  return value.split(",").length === flag.value.split(",").length ? { ...flag, value } : flag;
}

/** `${NAME:?…}` ends the build where NAME has no value. */
function checkRequired({ keyword, place, rest, json }: Instruction, { values, isBaseKnown }: KnownVariables): void {
  if (NOT_EXPANDED.has(keyword)) return;
  for (const { text, name, mayBeEmpty } of (json ?? [rest]).flatMap(requiredVariables)) {
    const isMissing = values.has(name) ? values.get(name) === "" && !mayBeEmpty : isBaseKnown;
    if (isMissing)
      throw new FragmentError(place, `${keyword} has ${JSON.stringify(text)}, and ${name} has no value: set it before by ENV or ARG`);
  }
}
