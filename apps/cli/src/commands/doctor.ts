import { readConfig } from "../config.ts";
import type { Finding } from "../doctor/check.ts";
import { checkMachine } from "../doctor/machine.ts";
import { checkPlatform } from "../doctor/platform.ts";
import type { Output } from "../output.ts";
import { exitCodeOf } from "lamina";
import { columnsOf } from "../view/columns.ts";

const MARKS = { ok: "✓", warning: "!", broken: "✗" } as const;

/** Checks the machine and the platform. Exit code 3 when something is broken. */
export async function doctor({ output }: { readonly output: Output }): Promise<void> {
  const config = readConfig();
  const findings = (await Promise.all([checkMachine(config), checkPlatform(config)])).flat();
  if (output.json) for (const finding of findings) output.event({ type: "finding", ...finding });
  else for (const line of columnsOf(findings.map(row))) output.result(line);
  const problems = findings.filter(({ state }) => state === "broken");
  if (problems.length > 0) process.exitCode = exitCodeOf("UNREACHABLE");
  output.note(problems.length === 0 ? "Nothing is broken." : `Broken: ${problems.map(({ name }) => name).join(", ")}.`);
}

function row({ name, state, detail }: Finding): string[] {
  return [MARKS[state], name, detail];
}
