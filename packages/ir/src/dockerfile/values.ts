/** The values of variables, as far as the instructions tell them. */
import { PersistentMap } from "../persistent-map.ts";
import type { Instruction } from "./read.ts";
import { assignmentsOf } from "./assignments.ts";
import { withoutQuotes } from "./words.ts";

/** By name; undefined where a variable has a value that only the build knows. What is not in it has none, but from the base. */
export type Values = PersistentMap<string | undefined>;

export const NO_VALUES: Values = new PersistentMap();

/** A text whose variables are replaced. */
export type Expanded =
  | { readonly kind: "known"; readonly text: string }
  /** Only the build knows it. */
  | { readonly kind: "open" }
  /** No instruction gives this variable a value. */
  | { readonly kind: "unset"; readonly name: string };

export function afterValues(before: Values, instruction: Instruction): Values {
  if (instruction.keyword !== "ENV" && instruction.keyword !== "ARG") return before;
  // All of one instruction are expanded with what was before it.
  return before.with(assignmentsOf(instruction).map(([name, value]) => [name, value === undefined ? undefined : valueOf(value, before)]));
}

export function expanded(text: string, values: Values): Expanded {
  if (!text.includes("$")) return { kind: "known", text };
  if (QUOTED.test(text)) return { kind: "open" };
  let result = "";
  let end = 0;
  for (const match of text.matchAll(EXPANSION)) {
    const { bare, braced, fallback, other } = match.groups ?? {};
    const name = bare ?? braced;
    if (name === undefined || other !== undefined) return { kind: "open" };
    const value = values.has(name) ? values.get(name) : fallback;
    if (value === undefined) return values.has(name) ? { kind: "open" } : { kind: "unset", name };
    // `:-` stands for an empty value too.
    result += text.slice(end, match.index) + (value === "" && fallback !== undefined ? fallback : value);
    end = match.index + match[0].length;
  }
  return { kind: "known", text: result + text.slice(end) };
}

function valueOf(value: string, values: Values): string | undefined {
  if (!value.includes("$")) return withoutQuotes(value);
  const result = expanded(value, values);
  return result.kind === "known" ? result.text : undefined;
}

const QUOTED = /['"\\]/;
const EXPANSION = /\$(?:(?<bare>[A-Za-z_]\w*)|\{(?<braced>[A-Za-z_]\w*)(?::-(?<fallback>[^${}]*)|(?<other>[^}]+))?\}|(?<unnamed>))/g;
