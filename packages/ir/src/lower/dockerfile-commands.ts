/** The instructions of `dockerfileCommands`, each as one that BuildKit reads in one way only. */
import { copyArguments } from "../dockerfile/copy.ts";
import { hasFlag } from "../dockerfile/flag-rules.ts";
import { type Flag, writtenFlag } from "../dockerfile/flags.ts";
import { heredocWord } from "../dockerfile/heredoc.ts";
import { afterInstruction } from "../dockerfile/inherited.ts";
import { type Instruction, readInstructions } from "../dockerfile/read.ts";
import { takesFiles } from "../dockerfile/sources.ts";
import { splitWords } from "../dockerfile/words.ts";
import type { ResolvedStep } from "../operation.ts";
import { type InstructionSurroundings, lowerRun } from "./dockerfile-run.ts";
import type { LoweredStep, Surroundings } from "./request.ts";

type Step = Extract<ResolvedStep, { kind: "dockerfileCommands" }>;

/** Local files come from a context of the step's own; what RUN runs is run and searched as in `runCommands`. */
export function lowerDockerfileCommands(step: Step, surroundings: Surroundings): LoweredStep {
  const { context } = surroundings;
  const { gpu, tree, secrets = [] } = step;
  let { inherited } = surroundings;
  const instructions: string[] = [];
  let usesContext = false;
  for (const instruction of readInstructions(step.commands)) {
    usesContext ||= takesFiles(instruction);
    instructions.push(...lowerInstruction(instruction, { ...surroundings, inherited, gpu, secrets }));
    inherited = afterInstruction(inherited, instruction);
  }
  return {
    instructions,
    contexts: tree === undefined || !usesContext ? [] : [{ name: context, kind: "directory", tree }],
    secrets,
  };
}

function lowerInstruction(instruction: Instruction, surroundings: InstructionSurroundings): readonly string[] {
  const { keyword, flags, rest } = instruction;
  switch (keyword) {
    case "RUN":
      return lowerRun(instruction, surroundings);
    case "COPY":
    case "ADD":
      return [lowerCopy(instruction, surroundings.context)];
    case "ARG":
      // One each, so that the history of the image tells its value.
      return (splitWords(rest) ?? []).map((word) => `ARG ${word}`);
    default:
      return [[keyword, ...flags.map(writtenFlag), notFlags(rest)].join(" ")];
  }
}

/** A layer is cached by what it is made of, so `--link` would only make links of the image be replaced by directories. */
function lowerCopy(instruction: Instruction, context: string): string {
  const { keyword, json, heredocs } = instruction;
  const { sources, destination } = copyArguments(instruction);
  const flags = instruction.flags.filter(({ name }) => name !== "link");
  const isLocal = keyword === "COPY" && !flags.some(({ name }) => name === "from");
  const found = sources.map((source) => (isLocal && heredocWord(source) === undefined ? inContext(source, flags) : source));
  const from = isLocal && takesFiles(instruction) ? [`--from=${context}`] : [];
  const words = [...found, destination];
  const written = json === undefined ? words.join(" ") : JSON.stringify(words);
  const line = [keyword, ...from, ...flags.map(writtenFlag), notFlags(written)].join(" ");
  return [line, ...heredocs.map(({ content, delimiter }) => `${content}${delimiter}`)].join("\n");
}

/** What an instruction says beside its flags, though it may look like one. */
function notFlags(rest: string): string {
  return rest.startsWith("--") ? `-- ${rest}` : rest;
}

/** Files are staged under `t/`, so that none of them can be taken for a .dockerignore. With `--parents` a path begins after `/./`. */
function inContext(source: string, flags: readonly Flag[]): string {
  const path = source.replace(/^(\.?\/)+/, "");
  return hasFlag(flags, "parents") && !path.includes("/./") ? `t/./${path}` : `t/${path}`;
}
