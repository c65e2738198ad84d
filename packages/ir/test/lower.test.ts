/** What holds for every Dockerfile; what single ones do is built in `lowering/`. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ResolvedDefinition, ResolvedStep, checkDefinition, failedCommand, failedSearch, lower } from "../src/index.ts";
import { resolvedDefinition } from "./arbitraries.ts";

const FROM = `registry.example/base@sha256:${"1".repeat(64)}`;
const BASE_ALONE: ResolvedDefinition = {
  builderVersion: "2026.11",
  platform: "linux/amd64",
  base: { kind: "base", digest: `sha256:${"1".repeat(64)}` },
  steps: [],
};
const valid = resolvedDefinition.filter(isValid);

describe("every Dockerfile", () => {
  test("follows from its request alone, whatever the order of keys", () => {
    fc.assert(
      fc.property(valid, (definition) => {
        const whole = { definition, from: FROM, first: 1, last: definition.steps.length };
        const reordered = { ...whole, definition: { ...definition, steps: definition.steps.map(reverseKeys) } };
        expect(lower(reordered)).toEqual(lower(whole));
      }),
    );
  });

  test("has one stage a layer, each on top of the one before", () => {
    fc.assert(
      fc.property(valid, fc.nat(), (definition, number) => {
        const last = definition.steps.length;
        const first = Math.max(1, number % (last + 1));
        const { dockerfile, stages } = lower({ definition, from: FROM, first, last });
        const froms = dockerfile.split("\n").filter((line) => line.startsWith("FROM "));
        expect(stages.map(({ layer }) => layer)).toEqual(last === 0 ? [0] : definition.steps.map((_, index) => index + 1).slice(first - 1));
        for (const [index, { target }] of stages.entries()) {
          expect(target).toMatch(/^lamina-[a-z0-9-]+$/);
          expect(froms).toContain(`FROM ${index === 0 ? FROM : stages[index - 1]?.target} AS ${target}`);
        }
      }),
    );
  });

  test("begins without a directive, and no context is called like a stage", () => {
    fc.assert(
      fc.property(valid, (definition) => {
        const { dockerfile, stages, contexts } = lower({ definition, from: FROM, first: 1, last: definition.steps.length });
        expect(dockerfile).not.toMatch(/^#\s*\w+\s*=/);
        const names = contexts.map(({ name }) => name);
        expect(names.every((name) => /^lamina-[a-z0-9-]+$/.test(name) && !stages.some(({ target }) => target === name))).toBe(true);
        expect(new Set(names).size).toBe(names.length);
      }),
    );
  });

  test("has no line that BuildKit would refuse", () => {
    fc.assert(
      fc.property(valid, (definition) =>
        lower({ definition, from: FROM, first: 1, last: definition.steps.length })
          .dockerfile.split("\n")
          .every((line) => Buffer.byteLength(line) < 65_535),
      ),
    );
  });
});

test("a step with secrets has no cache that outlives it", () => {
  const secrets = ["TOKEN"];
  const steps: ResolvedStep[] = [
    { kind: "pipInstall", arguments: ["six"], secrets },
    { kind: "pipInstall", arguments: ["--prefer-binary", "six"], secrets },
    { kind: "aptInstall", arguments: ["tree"], secrets },
  ];
  for (const step of steps) {
    const { dockerfile } = lower({ definition: { ...BASE_ALONE, steps: [step] }, from: FROM, first: 1, last: 1 });
    expect(dockerfile).toContain("--mount=type=tmpfs,target=/dev/lamina/");
    expect(dockerfile).not.toContain("type=cache");
  }
});

describe("byte code of a pipInstall", () => {
  const lowered = (...flags: string[]) => {
    const definition: ResolvedDefinition = { ...BASE_ALONE, steps: [{ kind: "pipInstall", arguments: ["six", ...flags] }] };
    const { dockerfile } = lower({ definition, from: FROM, first: 1, last: 1 });
    return { byUv: dockerfile.includes("export UV_COMPILE_BYTECODE=1"), byOurs: dockerfile.includes("py_compile.compile(") };
  };

  test("is made by us for the packages of the image's Python", () => {
    for (const flags of [[], ["-U"], ["--pre", "--python-version", "3.12"]])
      expect(lowered(...flags)).toEqual({ byUv: false, byOurs: true });
  });

  test("is made by uv for packages that go elsewhere", () => {
    const places = [
      ["--target", "/x"],
      ["--target=/x"],
      ["-t", "/x"],
      ["-t/x"],
      ["-Ut", "/x"],
      ["--prefix", "/x"],
      ["-p", "/x"],
      ["--python=/x"],
    ];
    for (const flags of places) expect(lowered(...flags)).toEqual({ byUv: true, byOurs: false });
  });

  test("is not made where the step does without", () => {
    for (const flags of [["--no-compile"], ["--no-compile-bytecode", "--target", "/x"]]) {
      expect(lowered(...flags)).toEqual({ byUv: false, byOurs: false });
    }
  });
});

test("of a base alone it is the base", () => {
  expect(lower({ definition: BASE_ALONE, from: FROM, first: 1, last: 0 })).toMatchObject({
    dockerfile: `FROM ${FROM} AS lamina-0\n`,
    stages: [{ layer: 0, target: "lamina-0" }],
  });
});

test("a definition that cannot be built is not lowered", () => {
  const definition: ResolvedDefinition = { ...BASE_ALONE, builderVersion: "0" };
  expect(() => lower({ definition, from: FROM, first: 1, last: 0 })).toThrow(
    expect.objectContaining({ reason: "unknown-builder-version" }),
  );
});

describe("GPUs", () => {
  const devicesOf = (gpu: string, gpus?: readonly string[]) => {
    const definition: ResolvedDefinition = { ...BASE_ALONE, steps: [{ kind: "runCommands", commands: ["true"], gpu }] };
    const { dockerfile } = lower({ definition, from: FROM, first: 1, last: 1, ...(gpus !== undefined && { gpus }) });
    return Array.from(dockerfile.matchAll(/--device=(\S+)/g), ([, device]) => device);
  };

  test("are the first of the machine, as many as are asked for", () => {
    expect(devicesOf("T4", ["0", "1"])).toEqual(["nvidia.com/gpu=0"]);
    expect(devicesOf("any", ["GPU-6f1a"])).toEqual(["nvidia.com/gpu=GPU-6f1a"]);
    expect(devicesOf("A100:2", ["0", "1", "2"])).toEqual(["nvidia.com/gpu=0", "nvidia.com/gpu=1"]);
    expect(() => devicesOf("A100:2", ["0"])).toThrow(RangeError);
  });

  test("are all of them where nobody says which there are", () => {
    expect(devicesOf("A100:2")).toEqual(["nvidia.com/gpu=all"]);
  });
});

test("layers that a definition does not have are refused", () => {
  const definition: ResolvedDefinition = { ...BASE_ALONE, steps: [{ kind: "workdir", path: "/x" }] };
  expect(() => lower({ definition, from: FROM, first: 0, last: 1 })).toThrow(RangeError);
  expect(() => lower({ definition, from: FROM, first: 1, last: 2 })).toThrow(RangeError);
});

describe("the failed command", () => {
  test("is read from the last line, with its own line breaks", () => {
    const lines = [
      "[1/2] a",
      "lamina: command 9 of 9: exit status 9: printed by the command itself",
      "lamina: command 2 of 3: exit status 4: first",
      "second",
    ];
    expect(failedCommand(lines)).toEqual({ index: 2, count: 3, status: 4, command: "first\nsecond" });
  });

  test("is unknown where the script did not come to its end", () => {
    expect(failedCommand(["[1/2] a", "Killed"])).toBeUndefined();
    expect(failedCommand([])).toBeUndefined();
  });
});

describe("what a search for secrets found", () => {
  test("is read from the last lines", () => {
    expect(failedSearch(["[1/1] a", "lamina: printed", "", "lamina: first", "lamina: second"])).toEqual(["first", "second"]);
  });

  test("is nothing where a command failed, or nothing was said", () => {
    expect(failedSearch(["lamina: the shell ended before command 2 of 2", "lamina: command 1 of 2: exit status 1: exit"])).toEqual([]);
    expect(failedSearch(["lamina: found", "Killed"])).toEqual([]);
    expect(failedSearch([])).toEqual([]);
  });
});

/** The same step with its keys, and those of its variables, the other way round. */
function reverseKeys(step: ResolvedStep): ResolvedStep {
  return ResolvedStep.parse(
    JSON.parse(JSON.stringify(step), (_, value: unknown) =>
      isRecord(value) ? Object.fromEntries(Object.entries(value).reverse()) : value,
    ),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isValid(definition: ResolvedDefinition): boolean {
  try {
    checkDefinition(definition);
    return true;
  } catch {
    return false;
  }
}
