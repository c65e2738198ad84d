/** The arguments of COPY and ADD. */
import { remotePathProblem } from "../check-path.ts";
import type { DefinitionReason } from "../definition-error.ts";
import { flagValues } from "./flag-rules.ts";
import { FragmentError } from "./fragment-error.ts";
import { heredocWord } from "./heredoc.ts";
import type { Instruction } from "./read.ts";
import { expanded, type Values } from "./values.ts";
import { splitAtSpace, splitWords, withoutQuotes } from "./words.ts";

export interface CopyArguments {
  readonly sources: readonly string[];
  readonly destination: string;
}

export function copyArguments({ json, rest }: Instruction): CopyArguments {
  const words = json ?? splitAtSpace(rest);
  return { sources: words.slice(0, -1), destination: words.at(-1) ?? "" };
}

/** The sources that are files of the context, as they are written. */
export function contextSources(instruction: Instruction): string[] {
  if (instruction.keyword !== "COPY" || flagValues(instruction.flags, "from").length > 0) return [];
  return copyArguments(instruction).sources.filter((source) => heredocWord(source) === undefined);
}

/** Checks the sources that hold variables. An empty one would stand for the whole context. @throws {FragmentError} */
export function checkVariableSources(instruction: Instruction, values: Values): void {
  const { keyword, place } = instruction;
  const files = copyArguments(instruction).sources.filter((source) => heredocWord(source) === undefined);
  if (!["COPY", "ADD"].includes(keyword) || flagValues(instruction.flags, "from").length > 0) return;
  for (const source of files) {
    const value = expanded(source, values);
    if (value.kind === "unset") {
      const message = `${keyword} takes ${JSON.stringify(source)}, and nothing before it sets ${value.name}: give it a value by ENV or ARG`;
      throw new FragmentError(place, message, keyword === "ADD" ? "local-add" : "missing-source");
    }
    if (keyword === "ADD" && value.kind === "known" && !isRemote(value.text)) throw localAdd(place, source, value.text);
    if (keyword === "COPY" && value.kind === "known" && value.text === "") {
      throw new FragmentError(
        place,
        `COPY takes ${JSON.stringify(source)}, which is empty: write "." for the whole context`,
        "missing-source",
      );
    }
  }
}

function localAdd(place: Instruction["place"], source: string, value: string): FragmentError {
  const what = value === source ? JSON.stringify(source) : `${JSON.stringify(source)}, ${JSON.stringify(value)},`;
  return new FragmentError(
    place,
    `ADD takes URLs and git repositories here, and ${what} is neither: use COPY for local files`,
    "local-add",
  );
}

/** @throws {FragmentError} */
export function checkCopy(instruction: Instruction): void {
  const { keyword, place } = instruction;
  const { sources, destination } = copyArguments(instruction);
  const fail = (message: string, reason?: DefinitionReason) => new FragmentError(place, `${keyword} ${message}`, reason);
  if (sources.length === 0 || destination === "") throw fail("needs a source and a destination");
  checkHeredocs(instruction);
  if ([...sources, destination].some((word) => splitWords(word) === undefined)) throw fail("has an open quote");
  const problem = remotePathProblem(withoutQuotes(destination));
  if (problem !== undefined) throw fail(`has a destination, ${JSON.stringify(destination)}, that ${problem}`, "invalid-remote-path");
  if (sources.length > 1 && !isDirectory(destination)) {
    throw fail(`has several sources, so that its destination, ${JSON.stringify(destination)}, has to be a directory, and end with "/"`);
  }
  const files = sources.filter((source) => heredocWord(source) === undefined);
  for (const source of keyword === "ADD" ? files : []) {
    if (!isRemote(source) && !source.startsWith("$")) throw localAdd(place, source, source);
  }
  for (const source of keyword === "COPY" ? files : []) {
    if (isRemote(source)) throw fail(`cannot fetch ${JSON.stringify(source)}: use ADD`);
    if (source.split("/").includes(".."))
      throw fail(`has a source with "..", ${JSON.stringify(source)}: write the path without it`, "escaping-source");
  }
}

/** Whether it names a directory whatever the image has; a variable may. */
export function isDirectory(destination: string): boolean {
  const path = withoutQuotes(destination);
  return path.includes("$") || /(?:^|\/)\.?$/.test(path);
}

/** Names of heredocs become names of files. */
function checkHeredocs(instruction: Instruction): void {
  const { keyword, place, heredocs, json } = instruction;
  const { sources, destination } = copyArguments(instruction);
  const words = sources.filter((source) => heredocWord(source) !== undefined);
  const fail = (message: string) => new FragmentError(place, `${keyword} ${message}`);
  if (heredocWord(destination) !== undefined) throw fail("has a heredoc as its destination");
  if (json !== undefined && words.length > 0) throw fail("has a heredoc in the JSON form, which takes none: write it without brackets");
  const isPlain = [...sources, destination].every((word) => (words.includes(word) ? true : !/['"\\<]/.test(word)));
  const areNames = heredocs.every(({ delimiter }) => /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(delimiter));
  if (heredocs.length === 0 && words.length === 0) return;
  if (!isPlain || !areNames || heredocs.length !== words.length) {
    throw fail("has a heredoc beside quotes, or one whose name is not of letters and digits: write it as in COPY <<NAME /path");
  }
}

function isRemote(source: string): boolean {
  return /^(https?|git|ssh):\/\/|^[\w.-]+@[\w.-]+:/i.test(source);
}
