/** Random definitions, trees and operations. */
import * as fc from "fast-check";
import type { Definition, Digest, ResolvedDefinition, ResolvedStep, StepOperation, TreeEntry } from "../src/index.ts";

export const digest: fc.Arbitrary<Digest> = fc
  .string({ unit: fc.constantFrom(...Array.from("0123456789abcdef")), minLength: 64, maxLength: 64 })
  .map((hex) => `sha256:${hex}`);
export const text = fc.string({ unit: "grapheme", minLength: 1 }).filter((value) => !value.includes("\0") && value.isWellFormed());
const name = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,8}$/);
const names = fc.uniqueArray(name, { minLength: 1, maxLength: 3 });
const path = fc.array(fc.stringMatching(/^[a-z0-9 '"$\\]{1,8}$/), { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join("/")}`);
const words = fc.array(
  fc.stringMatching(/^[a-z0-9=<>;'" $\\-]{1,12}$/).filter((word) => word.trim() !== ""),
  { minLength: 1, maxLength: 3 },
);
const requirements = fc.array(fc.stringMatching(/^[a-z][a-z0-9]{0,5}(\[[a-z]{1,3}\])?(==[0-9]{1,2})?$|^\.\/[a-z0-9=<>'" $\\-]{1,12}$/), {
  minLength: 1,
  maxLength: 3,
});

const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const json = fc.oneof(
  fc.boolean(),
  fc.constant(null),
  number,
  text,
  fc.array(number, { maxLength: 3 }),
  fc.dictionary(text, text, { maxKeys: 3 }),
);

const shared = [
  fc.record({ kind: fc.constant("aptInstall"), arguments: words.map((values) => values.flatMap((value) => ["-o", value])) }),
  fc.record({ kind: fc.constant("copyLocalDir"), tree: digest, destination: path }),
  fc.record({ kind: fc.constant("copyLocalFile"), tree: digest, destination: path }),
  fc.record({
    kind: fc.constant("addPythonPackages"),
    tree: digest,
    packages: fc.array(fc.record({ kind: fc.constant("project"), name: fc.stringMatching(/^[a-z0-9 '"$\\]{1,8}$/) }), {
      minLength: 1,
      maxLength: 3,
    }),
  }),
  fc.record({
    kind: fc.constant("poetryInstallFromFile"),
    tree: digest,
    groups: fc.option(fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1 }), { nil: undefined }),
  }),
  fc.record({ kind: fc.constant("env"), variables: fc.dictionary(name, text, { minKeys: 1, maxKeys: 3 }) }),
  fc.record({ kind: fc.constant("workdir"), path }),
  fc.record({
    kind: fc.constant("runFunction"),
    language: fc.constantFrom("python", "javascript"),
    name: fc.stringMatching(/^[a-z_]{1,8}$/),
    source: text,
    args: fc.option(fc.array(json, { minLength: 1, maxLength: 3 }), { nil: undefined }),
  }),
] as const;

const instruction = fc
  .tuple(fc.constantFrom("RUN echo", "ENV A=b", "LABEL a=b", "COPY a /", "CMD"), fc.stringMatching(/^[a-z =]{0,8}$/))
  .map(([start, end]) => `${start}${start.startsWith("ENV") || start.startsWith("LABEL") ? "" : " x"}${end.replaceAll(" ", "")}`);

export const resolvedStep: fc.Arbitrary<ResolvedStep> = fc.oneof(
  ...shared,
  fc.record({
    kind: fc.constant("dockerfileCommands"),
    commands: fc.array(instruction, { minLength: 1, maxLength: 3 }),
    tree: digest,
    secrets: fc.option(names, { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant("runCommands"),
    commands: fc.array(text, { minLength: 1, maxLength: 3 }),
    secrets: fc.option(names, { nil: undefined }),
  }),
  fc.record({ kind: fc.constant("pipInstall"), arguments: requirements, secrets: fc.option(names, { nil: undefined }) }),
);

export const resolvedDefinition: fc.Arbitrary<ResolvedDefinition> = fc.record({
  builderVersion: fc.constant("2026.11"),
  platform: fc.constantFrom("linux/amd64", "linux/arm64"),
  base: fc.record({ kind: fc.constant("base"), digest }),
  steps: fc.array(resolvedStep, { maxLength: 4 }),
});

const step: fc.Arbitrary<StepOperation> = fc.oneof(
  ...shared,
  fc.record({
    kind: fc.constant("runCommands"),
    commands: fc.array(text, { minLength: 1, maxLength: 3 }),
    secrets: fc.option(fc.array(fc.record({ kind: fc.constant("inline"), variables: names }), { minLength: 1, maxLength: 2 }), {
      nil: undefined,
    }),
  }),
);

export const definition: fc.Arbitrary<Definition> = fc.record({
  builderVersion: fc.constant("2026.11"),
  base: fc.record({ kind: fc.constant("debianSlim"), pythonVersion: fc.constantFrom("3.11", "3.13") }),
  steps: fc.array(step, { maxLength: 4 }),
});

export const treeEntries: fc.Arbitrary<TreeEntry[]> = fc.uniqueArray(
  fc.oneof(
    fc.record({
      kind: fc.constant("file"),
      path: fc.stringMatching(/^[a-zé\u{1f680}]{1,6}$/u),
      mode: fc.constantFrom(0o644, 0o755),
      size: fc.nat(),
      digest,
    }),
    fc.record({ kind: fc.constant("link"), path: fc.stringMatching(/^[a-z]{1,6}$/), target: fc.stringMatching(/^[a-z/.]{1,9}$/) }),
    fc.record({ kind: fc.constant("directory"), path: fc.stringMatching(/^[a-z]{1,6}$/), mode: fc.constantFrom(0o700, 0o755) }),
  ),
  { selector: (entry) => entry.path, minLength: 1, maxLength: 8 },
);
