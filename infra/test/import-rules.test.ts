import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const workspace = mkdtempSync(path.join(tmpdir(), "lamina-rules-"));
afterEach(() => rmSync(workspace, { recursive: true, force: true }));

/** What the import rules say about a workspace of these files. */
function violations(files: Record<string, string>): string {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(workspace, file)), { recursive: true });
    writeFileSync(path.join(workspace, file), text);
  }
  const rules = path.join(root, "infra/rules/import-rules.cjs");
  const folders = [...new Set(Object.keys(files).map((file) => file.split("/").slice(0, 1).join("/")))];
  const run = spawnSync(path.join(root, "node_modules/.bin/depcruise"), ["--config", rules, ...folders], {
    cwd: workspace,
    encoding: "utf8",
  });
  return run.status === 0 ? "" : run.stdout;
}

test.each([
  {
    what: "the registry client importing the api",
    from: "packages/registry/src/a.ts",
    to: "packages/api/src/b.ts",
    rule: "packages/registry-imports",
  },
  { what: "the sdk importing the servers", from: "packages/sdk/src/a.ts", to: "packages/servers/src/b.ts", rule: "packages/sdk-imports" },
  {
    what: "the command line importing the control plane",
    from: "apps/cli/src/a.ts",
    to: "apps/control-plane/src/b.ts",
    rule: "apps/cli-imports",
  },
  {
    what: "an app reaching past a package's exports",
    from: "apps/builder/src/a.ts",
    to: "packages/ir/src/b.ts",
    rule: "only-through-exports",
  },
])("$what is refused", ({ from, to, rule }) => {
  const specifier = path.relative(path.dirname(from), to);
  expect(violations({ [from]: `import { b } from "${specifier}";\nexport const a = b;\n`, [to]: "export const b = 1;\n" })).toContain(rule);
});

test("the definition reading the disk is refused", () => {
  expect(violations({ "packages/ir/src/a.ts": 'import { readFileSync } from "node:fs";\nexport const a = readFileSync;\n' })).toContain(
    "ir-is-pure",
  );
});

test("a cycle is refused", () => {
  const files = {
    "packages/ir/src/a.ts": 'import { b } from "./b.ts";\nexport const a = () => b;\n',
    "packages/ir/src/b.ts": 'import { a } from "./a.ts";\nexport const b = () => a;\n',
  };
  expect(violations(files)).toContain("no-cycle");
});
