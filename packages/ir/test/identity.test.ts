/** What names a layer: everything that can change its bytes, and nothing else. */
import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Definition,
  Definition as DefinitionSchema,
  type Resolution,
  type ResolvedDefinition,
  type TreeEntry,
  TreeEntry as TreeEntrySchema,
  imageIdOf,
  layersOf,
  resolveDefinition,
  treeDigest,
  treeMode,
} from "../src/index.ts";
import { definition, digest, resolvedDefinition, resolvedStep, treeEntries } from "./arbitraries.ts";

const resolution: Resolution = { platform: "linux/amd64", baseDigest: `sha256:${"1".repeat(64)}`, secrets: new Map() };
const different = (change: (value: ResolvedDefinition) => ResolvedDefinition) => (value: ResolvedDefinition) =>
  imageIdOf(change(value)) !== imageIdOf(value);

describe("the same meaning has the same id", () => {
  test("whatever the order of keys in the JSON that it came in", () => {
    const shuffled = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shuffled);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, member]) => [key, shuffled(member)]),
      );
    };
    fc.assert(
      fc.property(definition, (value) => {
        const sent = DefinitionSchema.parse(JSON.parse(JSON.stringify(shuffled(value))));
        expect(imageIdOf(resolveDefinition(sent, resolution))).toBe(imageIdOf(resolveDefinition(value, resolution)));
      }),
    );
  });

  test("whether a secret's variables come inline or by name, in whatever order", () => {
    const withSecrets = (secrets: Extract<Definition["steps"][number], { kind: "runCommands" }>["secrets"]): Definition => ({
      builderVersion: "2026.11",
      base: { kind: "debianSlim", pythonVersion: "3.13" },
      steps: [{ kind: "runCommands", commands: ["make"], secrets }],
    });
    const named = withSecrets([{ kind: "named", name: "tokens" }]);
    const inline = withSecrets([
      { kind: "inline", variables: ["B"] },
      { kind: "inline", variables: ["A", "B"] },
    ]);
    const known = { ...resolution, secrets: new Map([["tokens", ["B", "A"]]]) };
    expect(imageIdOf(resolveDefinition(named, known))).toBe(imageIdOf(resolveDefinition(inline, known)));
  });

  test("wherever the base was pulled from", () => {
    const from = (base: Definition["base"]) => imageIdOf(resolveDefinition({ builderVersion: "2026.11", base, steps: [] }, resolution));
    expect(from({ kind: "fromRegistry", reference: "mirror.example:5000/python:3.13" })).toBe(
      from({ kind: "debianSlim", pythonVersion: "3.13" }),
    );
  });

  test("whatever the order in which the files of a tree were found", () => {
    fc.assert(
      fc.property(treeEntries, fc.infiniteStream(fc.nat()), (entries, keys) => {
        const found = entries.map((entry) => ({ entry, key: keys.next().value ?? 0 })).sort((a, b) => a.key - b.key);
        expect(treeDigest(found.map(({ entry }) => entry))).toBe(treeDigest(entries));
      }),
    );
  });

  test("under every umask", () => {
    expect([0o100644, 0o100664, 0o100666].map(treeMode)).toEqual([0o644, 0o644, 0o644]);
    expect([0o40775, 0o104755].map(treeMode)).toEqual([0o755, 0o4755]);
  });
});

describe("each part of the key changes the id", () => {
  test("the builder version", () =>
    fc.assert(
      fc.property(
        resolvedDefinition,
        different((value) => ({ ...value, builderVersion: "2027.1" })),
      ),
    ));

  test("the platform", () => {
    const other = { "linux/amd64": "linux/arm64", "linux/arm64": "linux/amd64" } as const;
    fc.assert(
      fc.property(
        resolvedDefinition,
        different((value) => ({ ...value, platform: other[value.platform] })),
      ),
    );
  });

  test("the base", () => {
    fc.assert(
      fc.property(resolvedDefinition, digest, (value, base) => {
        fc.pre(base !== value.base.digest);
        return different((same) => ({ ...same, base: { kind: "base", digest: base } }))(value);
      }),
    );
  });

  test("a further step", () => {
    fc.assert(
      fc.property(resolvedDefinition, resolvedStep, (value, step) =>
        different((same) => ({ ...same, steps: [...same.steps, step] }))(value),
      ),
    );
  });

  test("every word of every step: two definitions with the same id are the same", () => {
    fc.assert(
      fc.property(resolvedStep, resolvedStep, (a, b) => {
        const idOf = (step: typeof a) =>
          imageIdOf({
            builderVersion: "2026.11",
            platform: "linux/amd64",
            base: { kind: "base", digest: resolution.baseDigest },
            steps: [step],
          });
        expect(idOf(a) === idOf(b)).toBe(isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b))));
      }),
    );
  });

  test.each<{ what: string; change: Partial<Extract<TreeEntry, { kind: "file" }>> }>([
    { what: "a file's path", change: { path: "other" } },
    { what: "its mode", change: { mode: 0o755 } },
    { what: "its size", change: { size: 2 } },
    { what: "its content", change: { digest: `sha256:${"2".repeat(64)}` } },
  ])("$what", ({ change }) => {
    const entry: TreeEntry = { kind: "file", path: "a", mode: 0o644, size: 1, digest: `sha256:${"1".repeat(64)}` };
    expect(treeDigest([{ ...entry, ...change }])).not.toBe(treeDigest([entry]));
  });

  test("a change of one layer changes it and what follows, and nothing before it", () => {
    fc.assert(
      fc.property(resolvedDefinition, resolvedStep, fc.nat(), (value, step, position) => {
        const at = position % (value.steps.length + 1);
        const changed = { ...value, steps: value.steps.toSpliced(at, 0, step) };
        const before = layersOf(value).map(({ id }) => id);
        const after = layersOf(changed).map(({ id }) => id);
        expect(after.slice(0, at + 1)).toEqual(before.slice(0, at + 1));
        expect(before).not.toContain(after.at(-1));
      }),
    );
  });
});

describe("what cannot change a layer is not in its id", () => {
  test.each(["forceBuild", "localPath", "mtime", "secretValues"])("a definition has no place for %s", (key) => {
    const step = { kind: "runCommands", commands: ["make"], [key]: true };
    const value = { builderVersion: "2026.11", base: { kind: "debianSlim", pythonVersion: "3.13" }, steps: [step] };
    expect(DefinitionSchema.safeParse(value).success).toBe(false);
  });

  test("the value of a secret has no place in a reference to it", () => {
    const secret = { kind: "inline", variables: ["TOKEN"], values: { TOKEN: "s3cret" } };
    const value = {
      builderVersion: "2026.11",
      base: { kind: "debianSlim", pythonVersion: "3.13" },
      steps: [{ kind: "runCommands", commands: ["make"], secrets: [secret] }],
    };
    expect(DefinitionSchema.safeParse(value).success).toBe(false);
  });

  test("a file's time and owner have no place in a tree", () => {
    const entry = { kind: "file" as const, path: "a", mode: 0o644, size: 1, digest: `sha256:${"1".repeat(64)}` };
    expect(TreeEntrySchema.safeParse({ ...entry, mtime: 1 }).success).toBe(false);
    expect(TreeEntrySchema.safeParse({ ...entry, uid: 0 }).success).toBe(false);
  });
});
