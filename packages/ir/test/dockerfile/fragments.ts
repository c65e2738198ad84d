/** Random instructions, most of them hostile to what comes after them. */
import * as fc from "fast-check";
import { checkDefinition, lower, type Lowered, type ResolvedStep } from "../../src/index.ts";

const digest = `sha256:${"1".repeat(64)}`;
const FROM = `registry.example/base@${digest}`;

/** What ends, continues, quotes or begins something, alone and where one is not looking for it. */
const PIECES = [
  "\\ \n ' \" # $ ` [ ] { } < > , = - a".split(" "),
  [" ", "\t", "\r", "\f", "\v", "\u00a0", "\u0085", "\ufeff", "\\\\", "\\\n", "\\ \n", "\\\r\n", "\n\n", "\n# c\n", "\n# escape=`\n"],
  [
    "<<EOF",
    "<<-EOF",
    "<<'EOF'",
    '<<"E F"',
    "<< EOF",
    "<<\\EOF",
    "<<<",
    "EOF",
    "\nEOF",
    "\nEOF\n",
    "\n\tEOF\n",
    "\nLAMINA\n",
    "#!/bin/sh\n",
  ],
  [
    "RUN ",
    "run\t",
    "COPY ",
    "ADD https://x/y ",
    "ENV A=",
    "ENV A ",
    "ARG B=",
    "LABEL c=",
    "CMD ",
    "ENTRYPOINT ",
    "USER ",
    "WORKDIR ",
    "SHELL ",
  ],
  ["FROM x", "\nFROM x\n", "FROM lamina-1 AS lamina-2", "ONBUILD RUN x", "/x", " /y", '["a"]', '["a", "b"]'],
  ["--mount=type=tmpfs,target=/t ", "--from=x ", "--x ", "-- "],
].flat();
const soup = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 10 }).map((pieces) => pieces.join(""));
const begun = fc.tuple(
  fc.constantFrom("RUN x ", "RUN cat ", "COPY a /b ", "ENV A=b ", "LABEL a=b ", "CMD x", 'SHELL ["/x"]\nRUN ', "WORKDIR /x"),
  soup,
);
const command = fc.oneof(
  soup,
  begun.map((parts) => parts.join("")),
  { arbitrary: begun.map((parts) => `${parts.join("")}\nRUN last`), weight: 2 },
);

/** A step with such instructions that is not refused. */
export const acceptedStep: fc.Arbitrary<ResolvedStep> = fc
  .array(command, { minLength: 1, maxLength: 2 })
  .map((commands): ResolvedStep => ({ kind: "dockerfileCommands", commands, tree: digest }))
  .filter((step) => lowered([step]) !== undefined);

/** The steps on top of each other; undefined where they are refused. */
export function lowered(steps: readonly ResolvedStep[]): Lowered | undefined {
  const definition = {
    builderVersion: "2026.11",
    platform: "linux/amd64" as const,
    base: { kind: "base" as const, digest },
    steps: [...steps],
  };
  try {
    checkDefinition(definition);
  } catch {
    return undefined;
  }
  return lower({ definition, from: FROM, first: 1, last: steps.length });
}
