import { describe, expect, test } from "vitest";
import { DEFINITION_REASONS, type Definition, type DefinitionReason, type StepOperation, checkDefinition } from "../src/index.ts";

const secret = (...variables: string[]) => [{ kind: "inline" as const, variables }];
const digest = `sha256:${"1".repeat(64)}`;

function definitionOf(...steps: StepOperation[]): Definition {
  return { builderVersion: "2026.11", base: { kind: "debianSlim", pythonVersion: "3.13" }, steps };
}

function packagesOf(...packages: Extract<StepOperation, { kind: "addPythonPackages" }>["packages"]): StepOperation {
  return { kind: "addPythonPackages", tree: digest, packages };
}

const faults: readonly { what: string; definition: Definition; reason: DefinitionReason; step?: number }[] = [
  { what: "an unknown builder version", definition: { ...definitionOf(), builderVersion: "1999.1" }, reason: "unknown-builder-version" },
  {
    what: "no package",
    definition: definitionOf({ kind: "workdir", path: "/x" }, { kind: "pipInstall", arguments: [] }),
    reason: "empty-arguments",
    step: 1,
  },
  {
    what: "an empty package",
    definition: definitionOf({ kind: "aptInstall", arguments: ["git", " "] }),
    reason: "empty-arguments",
    step: 0,
  },
  { what: "no command", definition: definitionOf({ kind: "runCommands", commands: [] }), reason: "empty-arguments", step: 0 },
  { what: "no variable", definition: definitionOf({ kind: "env", variables: {} }), reason: "empty-arguments", step: 0 },
  { what: "a NUL", definition: definitionOf({ kind: "runCommands", commands: ["a\0b"] }), reason: "invalid-text", step: 0 },
  { what: "half a character", definition: definitionOf({ kind: "env", variables: { A: "\ud83d" } }), reason: "invalid-text", step: 0 },
  {
    what: "a file that is called as no wheel",
    definition: definitionOf(packagesOf({ kind: "wheel", name: "sample.whl" })),
    reason: "invalid-package",
    step: 0,
  },
  {
    what: "one package twice",
    definition: definitionOf(packagesOf({ kind: "wheel", name: "a_b-1.0-py3-none-any.whl" }, { kind: "sdist", name: "A.b-2.0.zip" })),
    reason: "invalid-package",
    step: 0,
  },
  {
    what: "a package that leads elsewhere",
    definition: definitionOf(packagesOf({ kind: "project", name: "../x" })),
    reason: "invalid-package",
    step: 0,
  },
  {
    what: "a wheel for another Python",
    definition: definitionOf(packagesOf({ kind: "wheel", name: "a-1.0-cp311-cp311-linux_x86_64.whl" })),
    reason: "wheel-for-another-python",
    step: 0,
  },
  {
    what: "a wheel for another platform",
    definition: {
      ...definitionOf(packagesOf({ kind: "wheel", name: "a-1.0-cp313-cp313-manylinux_2_17_aarch64.whl" })),
      platform: "linux/amd64",
    },
    reason: "wheel-for-another-platform",
    step: 0,
  },
  {
    what: "a Python that Poetry does not run under",
    definition: {
      ...definitionOf({ kind: "poetryInstallFromFile", tree: digest }),
      base: { kind: "debianSlim", pythonVersion: "3.9" },
    },
    reason: "unsupported-python",
    step: 0,
  },
  {
    what: "commands on scratch, where nothing has brought a shell",
    definition: {
      ...definitionOf({ kind: "env", variables: { A: "1" } }, { kind: "workdir", path: "/x" }, { kind: "runCommands", commands: ["true"] }),
      base: { kind: "fromRegistry", reference: "scratch" },
    },
    reason: "missing-shell",
    step: 2,
  },
  {
    what: "a RUN on scratch, where nothing has brought a shell",
    definition: {
      ...definitionOf({ kind: "dockerfileCommands", commands: ["ENV A=1", "RUN true"] }),
      base: { kind: "fromRegistry", reference: "scratch" },
    },
    reason: "missing-shell",
    step: 0,
  },
  {
    what: "keywords for a function that takes none",
    definition: definitionOf({ kind: "runFunction", language: "javascript", name: "f", source: "() => 1", kwargs: { a: 1 } }),
    reason: "invalid-argument",
    step: 0,
  },
  {
    what: "a way up in a path",
    definition: definitionOf({ kind: "copyLocalDir", tree: digest, destination: "/a/../b" }),
    reason: "invalid-remote-path",
    step: 0,
  },
  {
    what: "a home directory",
    definition: definitionOf({ kind: "copyLocalFile", tree: digest, destination: "~/x" }),
    reason: "invalid-remote-path",
    step: 0,
  },
  {
    what: "a home directory to work in",
    definition: definitionOf({ kind: "workdir", path: "~" }),
    reason: "invalid-working-directory",
    step: 0,
  },
  {
    what: "a file name that is too long",
    definition: definitionOf({ kind: "workdir", path: `/${"é".repeat(128)}` }),
    reason: "invalid-working-directory",
    step: 0,
  },
  {
    what: "a path that is too long",
    definition: definitionOf({ kind: "workdir", path: "/abcdefg".repeat(512) }),
    reason: "invalid-working-directory",
    step: 0,
  },
  {
    what: "a variable that Linux refuses",
    definition: definitionOf({ kind: "env", variables: { A: "x".repeat(128 * 1024) } }),
    reason: "environment-too-large",
    step: 0,
  },
  {
    what: "variables that Linux refuses together",
    definition: definitionOf(
      ...Array.from({ length: 11 }, (_, n): StepOperation => ({ kind: "env", variables: { [`A${n}`]: "x".repeat(100_000) } })),
    ),
    reason: "environment-too-large",
    step: 10,
  },
  {
    what: "a name that marks a deleted file",
    definition: definitionOf({ kind: "copyLocalFile", tree: digest, destination: "/app/.wh.a" }),
    reason: "invalid-remote-path",
    step: 0,
  },
  {
    what: "a base that no registry could name",
    definition: { ...definitionOf(), base: { kind: "fromRegistry", reference: "Python:3.12" } },
    reason: "invalid-reference",
  },
  {
    what: "a base with capitals in what is no host",
    definition: { ...definitionOf(), base: { kind: "fromRegistry", reference: "TEAM/app" } },
    reason: "invalid-reference",
  },
  {
    what: "a requirement that is none",
    definition: definitionOf({ kind: "pipInstall", arguments: ["x", "numpy=1.0"] }),
    reason: "invalid-requirement",
    step: 0,
  },
  {
    what: "two Debian packages in one argument",
    definition: definitionOf({ kind: "aptInstall", arguments: ["git curl"] }),
    reason: "invalid-package-name",
    step: 0,
  },
  {
    what: "a Debian package with a sign that no name has, after a flag",
    definition: definitionOf({ kind: "aptInstall", arguments: ["--purge", "Git!"] }),
    reason: "invalid-package-name",
    step: 0,
  },
  {
    what: "flags of apt without a package",
    definition: definitionOf({ kind: "aptInstall", arguments: ["--purge", "-t", "trixie-backports"] }),
    reason: "empty-arguments",
    step: 0,
  },
  {
    what: "NUL in a remote path",
    definition: definitionOf({ kind: "copyLocalDir", tree: digest, destination: "/a\0b" }),
    reason: "invalid-remote-path",
    step: 0,
  },
  {
    what: "NUL in a working directory",
    definition: definitionOf({ kind: "workdir", path: "/a\0b" }),
    reason: "invalid-working-directory",
    step: 0,
  },
  {
    what: "a newline at the end of a working directory",
    definition: definitionOf({ kind: "workdir", path: "/srv\n" }),
    reason: "invalid-working-directory",
    step: 0,
  },
  {
    what: "a control character in a remote path",
    definition: definitionOf({ kind: "copyLocalFile", tree: digest, destination: "/a\u0085b" }),
    reason: "invalid-remote-path",
    step: 0,
  },
  {
    what: "an index that is no URL",
    definition: definitionOf({ kind: "pipInstall", arguments: ["x"], indexUrl: "index.example/simple" }),
    reason: "invalid-index-url",
    step: 0,
  },
  ...["https://index.example/simple x", "https:///simple", "https://index.example/\n"].map((indexUrl) => ({
    what: `the index ${JSON.stringify(indexUrl)}, which is no URL`,
    definition: definitionOf({ kind: "pipInstall", arguments: ["x"], indexUrl }),
    reason: "invalid-index-url" as const,
    step: 0,
  })),
  {
    what: "a definition of more than 4 MiB",
    definition: definitionOf(
      ...Array.from({ length: 5 }, (): StepOperation => ({ kind: "runCommands", commands: ["x".repeat(1024 * 1024)] })),
    ),
    reason: "definition-too-large",
    step: 3,
  },
  {
    what: "an instruction that begins another image",
    definition: definitionOf({ kind: "dockerfileCommands", commands: ["RUN x", "FROM y"] }),
    reason: "from-instruction",
    step: 0,
  },
  ...(
    [
      ["ADD a /b", "local-add"],
      ["INSTALL git", "unknown-instruction"],
      ["RUN <<EOF\nx", "open-heredoc"],
      ["RUN x \\", "open-instruction"],
      ["RUN x \\\n\n# y", "open-instruction"],
      ["COPY a /b", "missing-source"],
      ["COPY ../a /b", "escaping-source"],
      ["RUN --mount=type=secret,id=TOKEN x", "undeclared-secret"],
      ["ENV A", "invalid-instruction"],
    ] as const
  ).map(([instruction, reason]) => ({
    what: `the instruction ${JSON.stringify(instruction)}`,
    definition: definitionOf({ kind: "dockerfileCommands", commands: [instruction] }),
    reason,
    step: 0,
  })),
  {
    what: "an instruction that would keep a secret",
    definition: definitionOf({ kind: "dockerfileCommands", commands: ["ENV A=$TOKEN"], secrets: secret("TOKEN") }),
    reason: "misplaced-secret",
    step: 0,
  },
  {
    what: "commands for a shell that is none",
    definition: definitionOf(
      { kind: "dockerfileCommands", commands: ['SHELL ["python3", "-c"]'] },
      { kind: "runCommands", commands: ["x"] },
    ),
    reason: "unsuitable-shell",
    step: 1,
  },
  { what: "a name of ours", definition: definitionOf({ kind: "env", variables: { LAMINA_NL: "" } }), reason: "reserved-variable", step: 0 },
  ...["LAMINA_SECRET_1", "lamina_value", "PATH", "IFS", "BASH_ENV", "LD_PRELOAD", "TRACEPARENT"].map((name) => ({
    what: `a secret with a name of ours or of the system's, ${name}`,
    definition: definitionOf({ kind: "runCommands", commands: ["x"], secrets: secret(name) }),
    reason: "reserved-variable" as const,
    step: 0,
  })),
  {
    what: "a secret that is not declared",
    definition: definitionOf({ kind: "pipInstall", arguments: ["git+https://${B}@x"], secrets: secret("A") }),
    reason: "undeclared-secret",
    step: 0,
  },
  {
    what: "a reference without any secret",
    definition: definitionOf({ kind: "pipInstall", arguments: ["x"], indexUrl: "https://${B}@x" }),
    reason: "undeclared-secret",
    step: 0,
  },
  {
    what: "a secret where it would be seen",
    definition: definitionOf({ kind: "pipInstall", arguments: ["--proxy", "https://${A}@x", "x"], secrets: secret("A") }),
    reason: "misplaced-secret",
    step: 0,
  },
  {
    what: "121 layers",
    definition: definitionOf(...Array.from({ length: 121 }, (): StepOperation => ({ kind: "workdir", path: "/x" }))),
    reason: "too-many-layers",
    step: 120,
  },
];

describe("refuses, and says which step", () => {
  test.each(faults)("$what", ({ definition, reason, step }) => {
    expect(errorOf(definition)).toMatchObject({ name: "DefinitionError", reason, step });
  });

  test("every reason has a case, but for those of files that are read only later", () => {
    expect([...new Set([...faults.map(({ reason }) => reason), "link-cycle"])].sort()).toEqual(Object.keys(DEFINITION_REASONS).sort());
  });
});

describe("takes", () => {
  test.each<{ what: string; steps: StepOperation[] }>([
    { what: "shell variables in commands", steps: [{ kind: "runCommands", commands: ["echo ${HOME}"], secrets: secret("A") }] },
    {
      what: "a secret by name, whose variables the server knows",
      steps: [{ kind: "pipInstall", arguments: ["git+https://${B}@x"], secrets: [{ kind: "named", name: "tokens" }] }],
    },
    {
      what: "Debian packages in all the ways that apt names them",
      steps: [
        {
          kind: "aptInstall",
          arguments: [
            "-t",
            "trixie-backports",
            "g++",
            "libc6:amd64",
            "nginx=1:1.26.3-3+deb13u1",
            "git/stable",
            "nano-",
            "lamp-server^",
            "./a.deb",
          ],
        },
        { kind: "aptInstall", arguments: ["--purge", "python3-*", "^lib.*x$", "?name(x)", "-o", "Some::Thing=a b", "0ad", "/srv/x.deb"] },
      ],
    },
    { what: "a tilde elsewhere, and dots that lead nowhere", steps: [{ kind: "workdir", path: "/a~/..b/c.." }] },
    {
      what: "120 layers, and variables",
      steps: [
        ...Array.from({ length: 120 }, (): StepOperation => ({ kind: "workdir", path: "/x" })),
        { kind: "env", variables: { A: "" } },
      ],
    },
    {
      what: "120 layers, and instructions and a directory that make none",
      steps: [
        { kind: "dockerfileCommands", commands: Array.from({ length: 119 }, () => "RUN x") },
        { kind: "dockerfileCommands", commands: ["LABEL a=b\nENV A=b\nUSER 1\nWORKDIR /\nCMD x"] },
        { kind: "workdir", path: "/" },
        { kind: "workdir", path: "/x" },
      ],
    },
    {
      what: "a variable that is set again and again",
      steps: Array.from({ length: 20 }, (): StepOperation => ({ kind: "env", variables: { A: "x".repeat(100_000) } })),
    },
    {
      what: "thousands of variables, each in a step of its own or set anew by instructions",
      steps: Array.from({ length: 10_000 }, (_, n): StepOperation =>
        n % 2 === 0
          ? { kind: "env", variables: { [`A${n}`]: "x" } }
          : { kind: "dockerfileCommands", commands: [`ENV A${n - 1}=$A${n - 1}y B${n}=z`] },
      ),
    },
  ])("$what", ({ steps }) => {
    expect(checkDefinition(definitionOf(...steps)).name).toBe("2026.11");
  });

  test.each<[what: string, ...before: StepOperation[]]>([
    ["copied files", { kind: "copyLocalDir", tree: digest, destination: "/" }],
    ["a COPY", { kind: "dockerfileCommands", commands: [`COPY --from=registry.example/x@${digest} / /`] }],
    ["a RUN in its list form", { kind: "dockerfileCommands", commands: ['RUN ["/x"]'] }],
    ["a mount", { kind: "dockerfileCommands", commands: [`RUN --mount=from=registry.example/x@${digest},target=/bin /bin/cp -r /bin /x`] }],
  ])("a shell on scratch that %s may have brought", (_, ...before) => {
    const definition = definitionOf(...before, { kind: "runCommands", commands: ["true"] });
    expect(checkDefinition({ ...definition, base: { kind: "fromRegistry", reference: "scratch" } }).name).toBe("2026.11");
  });

  test("a newline in a path of what is resolved: its Dockerfile stays what it was", () => {
    const steps = [{ kind: "workdir" as const, path: "/a\nb" }];
    const base = { kind: "base" as const, digest };
    expect(checkDefinition({ builderVersion: "2026.11", platform: "linux/amd64", base, steps }).name).toBe("2026.11");
  });

  test("no secret by name that turns out to lack the variable", () => {
    const step = { kind: "pipInstall" as const, arguments: ["git+https://${B}@x"], secrets: ["A"] };
    const resolved = {
      builderVersion: "2026.11",
      platform: "linux/amd64" as const,
      base: { kind: "base" as const, digest },
      steps: [step],
    };
    expect(() => checkDefinition(resolved)).toThrow(expect.objectContaining({ reason: "undeclared-secret", step: 0 }));
  });
});

function errorOf(definition: Definition): unknown {
  try {
    return checkDefinition(definition);
  } catch (error) {
    return error;
  }
}

test.each([
  ["a base", { ...definitionOf(), base: { kind: "fromRegistry", reference: "https://me:hunter2@r.example/a b" } }],
  ["an index", definitionOf({ kind: "pipInstall", arguments: ["six"], indexUrl: "ftp://me:hunter2@r.example/simple" })],
  ["a requirement", definitionOf({ kind: "pipInstall", arguments: ["six @ git+https://me:hunter2@r.example/a b"] })],
  ["a password with signs", definitionOf({ kind: "pipInstall", arguments: ["six"], indexUrl: "ftp://me:hunter2@ x@r.example/simple" })],
] satisfies [string, Definition][])("what is said of %s shows no credentials", (_, definition) => {
  expect(() => checkDefinition(definition)).toThrow(/^(?!.*hunter2)/s);
});
