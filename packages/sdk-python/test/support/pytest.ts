/** Each test function of a file for pytest as a test of its own here. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { python } from "./python.ts";

const MINUTES = 60_000;
const DIRECTORY = path.resolve(import.meta.dirname, "../python");

/** What `conftest.py` writes, a line for each phase of a test that says something. */
const Report = z.object({ test: z.string(), outcome: z.enum(["passed", "failed", "skipped"]), text: z.string() });
type Report = z.infer<typeof Report>;

/**
 * Declares the tests of a file in `test/python`; they are run together, once.
 * @param environment variables for them, asked for when they are run
 */
export function pytestFile(file: string, environment: () => Promise<Readonly<Record<string, string>>> = async () => ({})): void {
  describe.each([file])("%s", () => {
    let run: Run;
    beforeAll(async () => {
      run = await runFile(file, await environment());
    }, 10 * MINUTES);
    test.each(testsIn(file))("%s", (name) => {
      expect(troubleOf(name, run)).toBe("");
    });
  });
}

interface Run {
  readonly reports: readonly Report[];
  readonly output: string;
}

/** Why a test did not pass; all that was printed where it was not run at all. */
function troubleOf(name: string, { reports, output }: Run): string {
  const own = reports.filter(({ test }) => test === name);
  if (own.length === 0) return output;
  return own.flatMap(({ outcome, text }) => (outcome === "passed" ? [] : [text])).join("\n");
}

/** Test functions are at the beginning of a line; those with parameters are one test here. */
function testsIn(file: string): string[] {
  const source = readFileSync(path.join(DIRECTORY, file), "utf8");
  return Array.from(source.matchAll(/^(?:async )?def (test_\w+)\(/gm), ([, name = ""]) => name);
}

async function runFile(file: string, environment: Readonly<Record<string, string>>): Promise<Run> {
  const place = await mkdtemp(path.join(tmpdir(), "lamina-pytest-"));
  try {
    const report = path.join(place, "report.jsonl");
    const variables = { ...environment, LAMINA_TEST_REPORT: report };
    const args = ["-m", "pytest", "-p", "no:cacheprovider", "--basetemp", path.join(place, "tmp"), path.join(DIRECTORY, file)];
    const { output } = await python(args, variables);
    const lines = (await readFile(report, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");
    return { reports: lines.map((line) => Report.parse(JSON.parse(line))), output };
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}
