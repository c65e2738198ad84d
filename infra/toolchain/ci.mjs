/** What `.ci/run` calls: `npm test`, and as the last line `N passed, N failed`. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "lamina-ci-"));
const report = join(directory, "report.json");

const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
const child = spawn("npm", ["test", "--", ...reporters, ...process.argv.slice(2)], {
  cwd: root,
  env: { ...process.env, CI: "true" },
  stdio: ["ignore", "inherit", "inherit"],
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => finish(error.message));
child.on("exit", (code, signal) => finish(code === 0 ? undefined : `npm test ended with ${signal ?? `exit status ${code}`}`));

/** Whatever went wrong beside the tests counts as one failure. */
function finish(trouble) {
  const { passed, failed } = countTests();
  rmSync(directory, { recursive: true, force: true });
  if (trouble !== undefined) console.log(trouble);
  const failures = failed === 0 && (trouble !== undefined || passed === 0) ? 1 : failed;
  console.log(`${passed} passed, ${failures} failed`);
  process.exitCode = failures === 0 ? 0 : 1;
}

/** A test file that could not be loaded has no tests, and counts as one that failed. */
function countTests() {
  let results;
  try {
    ({ testResults: results } = JSON.parse(readFileSync(report, "utf8")));
  } catch (error) {
    console.log(`There is no test report: ${error.message}`);
    return { passed: 0, failed: 0 };
  }
  const tests = results.flatMap((file) => file.assertionResults);
  const unloadable = results.filter((file) => file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed"));
  return {
    passed: tests.filter(({ status }) => status === "passed").length,
    failed: tests.filter(({ status }) => status === "failed").length + unloadable.length,
  };
}
