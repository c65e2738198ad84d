/**
 * `npm run bench`: every case, and the table in the README. `npm run bench -- CASE` runs one and writes nothing;
 * `--runs N` takes other than five runs of each side, and writes nothing either. `large-context` and `large-file` compare nothing, and are run
 * only by their names.
 */
import { readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Bench, startBench } from "./bench.ts";
import type { Case } from "./case.ts";
import { cases } from "./cases/index.ts";
import { buildLargeContext, largeContexts } from "./large-context.ts";
import { REPOSITORY } from "./lamina.ts";
import { machineFacts } from "./machine.ts";
import { judge, measure } from "./measure.ts";
import { type Result, tableOf, time, valueOf, withBenchmarks } from "./table.ts";

const RUNS = 5;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { runs: { type: "string", default: String(RUNS) } } });
const runs = Number(values.runs);
const chosen = positionals.length === 0 ? cases : cases.filter(({ name }) => positionals.includes(name));
const large = [...largeContexts].filter(([name]) => positionals.includes(name));
if (chosen.length + large.length < positionals.length || !Number.isInteger(runs) || runs < 1) {
  console.error(
    `usage: npm run bench [-- [CASE…] [--runs N]]\ncases: ${[...cases.map(({ name }) => name), ...largeContexts.keys()].join(", ")}`,
  );
  process.exit(2);
}

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stop.abort(new Error(`ended by ${signal}`)));

await using owned = new AsyncDisposableStack();
console.log("Starting a platform of its own");
const bench = await startBench(
  { cache: process.env["LAMINA_CACHE"] ?? join(homedir(), ".cache", "lamina"), caBundle: process.env["SSL_CERT_FILE"] || undefined },
  owned,
);
const results: Result[] = [];
for (const compared of chosen) results.push(await run(compared, bench));
for (const [, context] of large) {
  const { lines, met } = await buildLargeContext(context, bench);
  console.log(`\n${lines.join("\n")}`);
  if (!met) process.exitCode = 1;
}

if (results.length > 0) {
  const report = `${await machineFacts(bench)}\n\n${tableOf(results)}`;
  console.log(`\n${report}`);
  if (positionals.length === 0 && runs === RUNS) {
    const readme = join(REPOSITORY, "README.md");
    await writeFile(readme, withBenchmarks(await readFile(readme, "utf8"), report));
  }
}

async function run(compared: Case, platform: Omit<Bench, "owned">): Promise<Result> {
  await using own = new AsyncDisposableStack();
  console.log(`\n${compared.name}: ${compared.what}\n  ${compared.ours} beside ${compared.peer}`);
  const sides = await compared.prepare({ ...platform, owned: own });
  const measured = await measure(sides, {
    runs,
    signal: stop.signal,
    onRun: (ours, peer) => console.log(`  ${time(ours)} beside ${time(peer)}`),
  });
  const verdict = judge(measured, compared.goal);
  console.log(
    `  medians ${time(verdict.ours)} beside ${time(verdict.peer)}: ${valueOf(verdict.value, compared.goal)}${verdict.met ? "" : ", missed"}`,
  );
  return { compared, verdict };
}
