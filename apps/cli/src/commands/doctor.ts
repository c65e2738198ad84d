import { readConfig } from "../config.ts";
import type { Finding } from "../doctor/check.ts";
import { checkMachine } from "../doctor/machine.ts";
import { checkPlatform } from "../doctor/platform.ts";
import type { Output } from "../output.ts";
import { exitCodeOf } from "lamina";
import { cell, wrapped } from "../view/columns.ts";

/** The mark, and two blanks on both sides of the name. */
const BESIDE_NAME = 5;
const MARKS = { ok: "✓", warning: "!", broken: "✗" } as const;

/** Checks the machine and the platform. Exit code 3 when something is broken. */
export async function doctor({ output }: { readonly output: Output }): Promise<void> {
  const config = readConfig();
  const findings = (await Promise.all([checkMachine(config), checkPlatform(config)])).flat();
  if (output.json) for (const finding of findings) output.event({ type: "finding", ...finding });
  else for (const line of findingLines(findings, output)) output.result(line);
  const problems = findings.filter(({ state }) => state === "broken");
  if (problems.length > 0) process.exitCode = exitCodeOf("UNREACHABLE");
  output.note(problems.length === 0 ? "Nothing is broken." : `Broken: ${problems.map(({ name }) => name).join(", ")}.`);
}

/** A line each; a detail that does not fit goes on below itself. */
function findingLines(findings: readonly Finding[], { columns = Number.POSITIVE_INFINITY, resultColors }: Output): string[] {
  const paint = { ok: resultColors.green, warning: resultColors.magenta, broken: resultColors.red };
  const width = Math.max(...findings.map(({ name }) => name.length)) + BESIDE_NAME;
  return findings.flatMap(({ name, state, detail }) =>
    wrapped(detail, columns - width - 1).map((part, index) =>
      index === 0 ? `${paint[state](MARKS[state])}  ${cell(name, width - BESIDE_NAME)}  ${part}` : " ".repeat(width) + part,
    ),
  );
}
