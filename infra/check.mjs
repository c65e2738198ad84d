/** Format, lint, types and import rules, at once. `--fix` formats and mends what can be mended. */
import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
const projects = globSync("{infra,{packages,apps}/*}/tsconfig.json", { cwd: root }).map((file) => path.dirname(file));
const sources = globSync("{packages,apps}/*/src", { cwd: root });
const fix = process.argv.includes("--fix");

const checks = {
  format: ["oxfmt", fix ? "--write" : "--check", "."],
  lint: ["oxlint", ...(fix ? ["--fix"] : []), "--max-warnings", "0"],
  types: ["tsc", "-b", ...projects],
  imports: ["depcruise", "--config", "infra/rules/import-rules.cjs", ...sources],
};

const results = await Promise.all(Object.entries(checks).map(([name, command]) => check(name, command)));
process.exitCode = results.every(Boolean) ? 0 : 1;

/** Runs one check and prints its output only when it fails. */
function check(name, [program, ...args]) {
  const started = performance.now();
  const child = spawn(path.join(root, "node_modules/.bin", program), args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const output = [];
  child.stdout.on("data", (chunk) => output.push(chunk));
  child.stderr.on("data", (chunk) => output.push(chunk));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      if (code !== 0) process.stderr.write(Buffer.concat(output));
      console.log(`${code === 0 ? "ok    " : "FAILED"} ${name.padEnd(8)} ${seconds} s`);
      resolve(code === 0);
    });
  });
}
