import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { failedCommand } from "../../src/index.ts";
import { scriptLines } from "../../src/lower/script.ts";
import { file, fixtureTree } from "../golden/fixture-tree.ts";
import { pythonBase, shellBase } from "./bases.ts";
import { buildLowered, expectBuilt } from "./build.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { type WrapperCase, wrapperCases } from "./wrapper-cases.ts";

describe.each([
  { shell: "dash", command: "dash -c", base: pythonBase, strict: false },
  { shell: "bash with all its checks", command: "bash -euo pipefail -c", base: pythonBase, strict: true },
  { shell: "busybox", command: "/bin/busybox sh -c", base: shellBase, strict: false },
])("commands mean under $shell what they mean alone, and the one that fails is named", ({ command, base, strict }) => {
  const outcomes = new Map<string, { status: number; lines: string[] }>();

  beforeAll(async () => {
    for (const [name, outcome] of await runAll(await base(), command)) outcomes.set(name, outcome);
  });

  test.each(wrapperCases.map((wrapped) => ({ name: wrapped.name, wrapped })))("$name", ({ wrapped }) => {
    const { status = -1, lines = [] } = outcomes.get(wrapped.name) ?? {};
    expect(outcomeOf(wrapped, { status, lines })).toEqual(expectationOf(wrapped, strict, { status, lines }));
  });
});

interface Ran {
  readonly status: number;
  readonly lines: readonly string[];
}

function outcomeOf({ commands, printed }: WrapperCase, { status, lines }: Ran) {
  return { status, failed: failedCommand(lines), printed: printed === undefined ? undefined : withoutWrapper(lines, commands) };
}

/** Where a case leaves something open, what came is what was expected. */
function expectationOf({ commands, blamed, printed, strict, status }: WrapperCase, strictly: boolean, ran: Ran) {
  const expected = strictly ? (strict ?? status) : status;
  const failed =
    blamed === undefined ? undefined : { index: blamed, count: commands.length, status: ran.status, command: commands[blamed - 1] };
  return {
    status: expected === "fails" && ran.status !== 0 ? ran.status : expected,
    failed: strictly && strict !== undefined ? failedCommand(ran.lines) : failed,
    printed,
  };
}

/** What the commands themselves printed. */
function withoutWrapper(lines: readonly string[], commands: readonly string[]): string[] {
  const announced = commands.flatMap((command, index) => `[${index + 1}/${commands.length}] ${command}`.split("\n"));
  return lines
    .filter((line) => !line.startsWith("lamina: command "))
    .filter((line) => {
      const at = announced.indexOf(line);
      if (at !== -1) announced.splice(at, 1);
      return at === -1;
    });
}

/** Runs every case in a directory and a shell of its own, all within one RUN. */
async function runAll(from: string, command: string): Promise<[string, { status: number; lines: string[] }][]> {
  await using out = await temporaryDirectory();
  const tree = fixtureTree(...wrapperCases.map(({ commands }, n) => file(String(n), scriptLines({ commands }).join("\n"))));
  const harness = [
    "for n in $(ls /cases); do",
    `  mkdir -p /work/$n /out && cd /work/$n`,
    `  ${command} "$(cat /cases/$n)" >/out/$n 2>&1 </dev/null && s=0 || s=$?`,
    "  echo $s >/out/$n.status",
    "done",
  ];
  const dockerfile = [
    `FROM ${from} AS cases`,
    'COPY --from=files ["t/", "/cases/"]',
    "RUN <<'HARNESS'",
    "#!/bin/sh",
    ...harness,
    "HARNESS",
    "",
  ].join("\n");
  const stages = [{ layer: 1, target: "cases" }];
  const contexts = [{ name: "files", kind: "directory" as const, tree: tree.digest }];
  const input = { from, steps: [], trees: [tree], output: { kind: "directory" as const, destination: out.path } };
  expectBuilt(await buildLowered(input, { dockerfile, stages, contexts, secrets: [], buildArgs: {} }));
  return await Promise.all(
    wrapperCases.map(async ({ name }, n) => {
      const status = Number(await readFile(join(out.path, `${n}.status`), "utf8"));
      const output = await readFile(join(out.path, String(n)), "utf8");
      return [name, { status, lines: output === "" ? [] : output.replace(/\n$/, "").split("\n") }];
    }),
  );
}
