/** What ENV, ARG and LABEL give values to. */
import type { Instruction } from "./read.ts";
import { splitAtSpace, splitWords } from "./words.ts";

/** The names that ENV, ARG and LABEL give values to, in order. */
export function assignedNames(instruction: Instruction): string[] {
  return assignmentsOf(instruction).map(([name]) => name);
}

/** The same with the values as they are written; undefined where only the build knows one. */
export function assignmentsOf({ keyword, rest }: Instruction): [name: string, value: string | undefined][] {
  const words = splitWords(rest) ?? [];
  if (keyword !== "ARG" && words[0]?.includes("=") !== true) {
    const [name = ""] = splitAtSpace(rest);
    return [[name, rest.slice(name.length).trim()]];
  }
  return words.flatMap((word): [string, string | undefined][] => {
    const [name = ""] = word.split("=");
    if (word !== name) return [[name, word.slice(name.length + 1)]];
    return keyword === "ARG" && PLATFORM_ARGUMENTS.test(name) ? [[name, undefined]] : [];
  });
}

/** What BuildKit gives a value to where ARG does not: it is the platform of the layer. */
const PLATFORM_ARGUMENTS = /^TARGET(PLATFORM|OS|OSVERSION|ARCH|VARIANT)$/;
