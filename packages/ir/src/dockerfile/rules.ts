/** What an instruction has to look like to become part of an image that is built already. */
import { remotePathProblem } from "../check-path.ts";
import { isReservedVariable } from "../lower/reserved.ts";
import { VariableName } from "../operation.ts";
import { assignedNames } from "./assignments.ts";
import { checkCopy } from "./copy.ts";
import { checkFlags } from "./flag-rules.ts";
import { FragmentError } from "./fragment-error.ts";
import { CONTINUED, type Instruction, isList } from "./read.ts";
import { userFault } from "./user.ts";
import { splitAtSpace, splitWords, unknownExpansion, withoutQuotes } from "./words.ts";

/** BuildKit takes no lines of 64 KiB. */
const LONGEST_LINE = 60_000;

/** @throws {FragmentError} for an instruction that cannot be built here, or nowhere */
export function checkInstruction(instruction: Instruction): void {
  const { keyword, place, rest } = instruction;
  const refusal = REFUSED[keyword];
  const refused = keyword === "FROM" ? "from-instruction" : "invalid-instruction";
  if (refusal !== undefined) throw new FragmentError(place, `${keyword} ${refusal}`, refused);
  const rule = RULES[keyword];
  if (rule === undefined)
    throw new FragmentError(place, `${JSON.stringify(keyword)} is no instruction of a Dockerfile`, "unknown-instruction");
  checkFlags(instruction);
  if (rest === "") throw new FragmentError(place, `${keyword} says nothing`);
  if (CONTINUED.test(rest)) throw new FragmentError(place, `${keyword} ends with a backslash: take it out`, "open-instruction");
  const fault = listFault(instruction) ?? rule(instruction) ?? expansionFault(instruction);
  if (fault !== undefined) throw new FragmentError(place, `${keyword} ${fault}`);
  if (keyword === "WORKDIR") checkDirectory(instruction);
  checkLength(instruction);
}

/** What BuildKit gives a value to, and no layer may depend on: the machine that makes it, and what is made with it. */
const FOREIGN_ARGUMENTS = /^(BUILD(PLATFORM|OS|OSVERSION|ARCH|VARIANT)|TARGETSTAGE)$/;

const REFUSED: Readonly<Record<string, string>> = {
  FROM: "begins another image, and these instructions go on with this one: start a new Image from it, or copy from it by --from with its digest",
  ONBUILD: "would run in the next layer of this very image: write what it runs",
  MAINTAINER: 'is out of use: write LABEL org.opencontainers.image.authors="…"',
};

/** Instructions in which BuildKit expands nothing: a shell may, or nobody. */
export const NOT_EXPANDED: ReadonlySet<string> = new Set(["RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK", "SHELL"]);

function expansionFault({ keyword, rest, json, heredocs }: Instruction): string | undefined {
  if (NOT_EXPANDED.has(keyword)) return undefined;
  const texts = [...(json ?? [rest]), ...heredocs.flatMap(({ expands, content }) => (expands ? [content.replaceAll("'", "")] : []))];
  const unknown = texts.map(unknownExpansion).find((expansion) => expansion !== undefined);
  return unknown === undefined ? undefined : `has ${JSON.stringify(unknown)}, which only a shell would expand: use it in RUN`;
}

/** BuildKit takes no list but of strings; what is no list at all is for a shell. */
function listFault({ keyword, rest, json }: Instruction): string | undefined {
  if (!TAKES_LISTS.has(keyword) || json !== undefined || !isList(rest)) return undefined;
  return `has a JSON list of other things than strings: quote each`;
}

const TAKES_LISTS = new Set(["RUN", "CMD", "ENTRYPOINT", "SHELL", "VOLUME", "COPY", "ADD"]);

/** What is wrong with an instruction. */
type Rule = (instruction: Instruction) => string | undefined;

const anything: Rule = () => undefined;
const quoted: Rule = ({ rest }) => (splitWords(rest) === undefined ? "has an open quote" : undefined);
const copied: Rule = (instruction) => {
  checkCopy(instruction);
  return undefined;
};
const assignments: Rule = (instruction) => {
  const words = splitWords(instruction.rest);
  if (words === undefined) return "has an open quote";
  const isOldForm = words[0]?.includes("=") !== true;
  if (isOldForm && words.length < 2) return "needs a name and a value, as in NAME=value";
  const bare = isOldForm ? undefined : words.find((word) => !word.includes("="));
  if (bare !== undefined) return `needs NAME=value, and ${JSON.stringify(bare)} has no "="`;
  return assignedNames(instruction).includes("") ? 'has a value without a name before "="' : undefined;
};
const variables: Rule = (instruction) => assignments(instruction) ?? nameFault(assignedNames(instruction));

const RULES: Readonly<Record<string, Rule>> = {
  RUN: ({ json }) => (json?.length === 0 ? "has an empty list" : undefined),
  COPY: copied,
  ADD: copied,
  ENV: variables,
  LABEL: assignments,
  ARG: (instruction) => {
    const words = splitWords(instruction.rest);
    if (words === undefined) return "has an open quote";
    const foreign = words.find((word) => FOREIGN_ARGUMENTS.test(word));
    if (foreign !== undefined) return `asks for ${foreign}, on which no layer may depend: the same layer may be made anywhere`;
    return nameFault(words.map((word) => word.split("=")[0] ?? ""));
  },
  CMD: anything,
  ENTRYPOINT: anything,
  USER: (instruction) => quoted(instruction) ?? userFault(withoutQuotes(instruction.rest)),
  WORKDIR: quoted,
  VOLUME: (instruction) => {
    const paths = wordsOf(instruction);
    return paths.length === 0 || paths.some((path) => path.trim() === "") ? "needs paths" : undefined;
  },
  EXPOSE: (instruction) =>
    wordsOf(instruction)
      .map(portFault)
      .find((fault) => fault !== undefined),
  STOPSIGNAL: ({ rest }) => signalFault(rest),
  HEALTHCHECK: ({ rest }) => (/^NONE$/i.test(rest) || /^CMD\s+\S/i.test(rest) ? undefined : "needs CMD and a command, or NONE"),
  SHELL: ({ json }) => (json === undefined || json.length === 0 ? 'needs a JSON list, as in ["/bin/bash", "-c"]' : undefined),
};

/** The paths of VOLUME, or the ports of EXPOSE. */
function wordsOf({ json, rest }: Instruction): readonly string[] {
  return json ?? splitAtSpace(rest);
}

function portFault(text: string): string | undefined {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(?:tcp|udp|sctp))?$/i.exec(text) ?? [];
  const isPort = Number(first) <= Number(last) && Number(last) <= 65_535;
  return isPort || text.includes("$") ? undefined : `needs ports as in "8080" or "53/udp", and ${JSON.stringify(text)} is none`;
}

function signalFault(text: string): string | undefined {
  return SIGNAL.test(text) || text.includes("$")
    ? undefined
    : `needs a signal as in "SIGTERM" or "15", and ${JSON.stringify(text)} is none`;
}

const NAMES =
  "ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT RTMAX RTMIN SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ";
const REAL_TIME = String.raw`RTMIN\+(?:[1-9]|1[0-5])|RTMAX-(?:[1-9]|1[0-4])`;
const SIGNAL = new RegExp(`^(0?[1-9]|[1-9]\\d|(SIG)?(${NAMES.replaceAll(" ", "|")}|${REAL_TIME}))$`, "i");

function nameFault(names: readonly string[]): string | undefined {
  const bad = names.find((name) => !VariableName.safeParse(name).success);
  if (bad !== undefined)
    return `has a variable named ${JSON.stringify(bad)}: a name is letters, digits and "_", without quotes, and begins with no digit`;
  const reserved = names.find(isReservedVariable);
  return reserved === undefined ? undefined : `sets ${reserved}, which is used by the platform while it builds: choose another name`;
}

function checkDirectory({ place, rest }: Instruction): void {
  const problem = remotePathProblem(withoutQuotes(rest));
  if (problem === undefined) return;
  throw new FragmentError(place, `WORKDIR has a path, ${JSON.stringify(rest)}, that ${problem}`, "invalid-working-directory");
}

/** The text of a RUN goes into a script, whose lines may be longer. */
function checkLength({ keyword, place, flags, rest, json, heredocs }: Instruction): void {
  const isScript = keyword === "RUN" && json === undefined;
  const lines = [
    ...flags.map(({ value = "" }) => value),
    ...(isScript ? [] : [rest, ...heredocs.flatMap(({ content }) => content.split("\n"))]),
  ];
  if (lines.some((line) => Buffer.byteLength(line) > LONGEST_LINE)) {
    throw new FragmentError(place, `${keyword} has a line of more than ${LONGEST_LINE} bytes, which BuildKit does not take`);
  }
}
