/**
 * Which package may import which, for dependency-cruiser. Holds for `src`; the tests of a package
 * may use more. Also: no cycles, and no import past a package's own exports.
 */
const { Visitor } = require("@swc/core/Visitor.js");

// The visitor that dependency-cruiser builds on does not know `using`, and reads it like any other declaration here.
const visitStatement = Reflect.get(Visitor.prototype, "visitStatement");
Visitor.prototype.visitStatement = function visitStatementOrUsing(statement) {
  if (statement.type !== "UsingDeclaration") return visitStatement.call(this, statement);
  return { ...statement, decls: this.visitVariableDeclarators(statement.decls) };
};

const ALLOWED = {
  "packages/ir": [],
  "packages/api": ["packages/ir"],
  "packages/sdk": ["packages/ir", "packages/api"],
  "packages/registry": [],
  "packages/service": ["packages/api", "packages/ir", "packages/registry"],
  "packages/servers": [],
  "packages/testkit": ["packages/servers", "packages/registry"],
  "apps/control-plane": ["packages/api", "packages/ir", "packages/registry", "packages/service"],
  "apps/builder": ["packages/api", "packages/ir", "packages/registry", "packages/service"],
  "apps/runner": ["packages/api", "packages/ir", "packages/registry", "packages/service"],
  "apps/cli": ["packages/sdk", "packages/servers"],
};

const perPlace = Object.entries(ALLOWED).map(([place, allowed]) => ({
  name: `${place}-imports`,
  comment: `${place} may import ${allowed.length === 0 ? "none of the other packages" : allowed.join(", ")}`,
  severity: "error",
  from: { path: `^${place}/src/` },
  to: { path: "^(packages|apps)/", pathNot: [place, ...allowed].map((folder) => `^${folder}/`) },
}));

module.exports = {
  forbidden: [
    ...perPlace,
    {
      name: "ir-is-pure",
      comment: "packages/ir has no clock, disk, network or environment: of outside code it may import zod and node:crypto",
      severity: "error",
      from: { path: "^packages/ir/src/" },
      to: { pathNot: ["^packages/ir/src/", "node_modules/zod/", "^(node:)?crypto$"] },
    },
    {
      name: "only-through-exports",
      comment: "a package is imported by its name, and so by what it exports",
      severity: "error",
      from: { path: "^((?:packages|apps)/[^/]+)/" },
      to: { path: "^(packages|apps)/[^/]+/", pathNot: ["^$1/"], dependencyTypes: ["local"] },
    },
    { name: "no-cycle", severity: "error", from: { path: "^(packages|apps)/[^/]+/src/" }, to: { circular: true } },
    { name: "resolvable", severity: "error", from: { path: "^(packages|apps)/" }, to: { couldNotResolve: true, pathNot: "/generated/" } },
  ],
  options: {
    parser: "swc",
    doNotFollow: { path: "node_modules" },
    exclude: { path: ["/dist/", "/generated/"] },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default"],
      extensions: [".ts", ".mjs", ".js", ".cjs", ".json"],
    },
  },
};
