/** What the vectors say about canonical JSON, trees, and definitions with their layer ids. */
import type { Definition, Json, TreeEntry } from "../../src/index.ts";

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;

export const canonicalCases: readonly { readonly name: string; readonly value: Json }[] = [
  { name: "keys are sorted", value: { b: 1, a: { d: [], c: {} }, "": null } },
  {
    name: "keys are sorted by UTF-16 code units",
    value: { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7 },
  },
  { name: "numbers are written as ECMAScript writes them", value: [333333333.3333333, 1e30, 4.5, 2e-3, 1e-27, -0, 1e21, 9007199254740991] },
  { name: "strings keep all but what JSON must escape", value: '\u20ac$\u000f\nA\'B"\\\\"/\u007f\u2028é' },
  { name: "literals", value: [null, true, false] },
];

export const treeCases: readonly { readonly name: string; readonly entries: readonly TreeEntry[] }[] = [
  { name: "an empty tree", entries: [] },
  { name: "one file", entries: [{ kind: "file", path: ".env.production", mode: 0o600, size: 15, digest: digest("a") }] },
  {
    name: "all kinds, given in no order",
    entries: [
      { kind: "link", path: "current", target: "../elsewhere" },
      { kind: "file", path: "src/main.py", mode: 0o644, size: 0, digest: digest("b") },
      { kind: "directory", path: "src", mode: 0o755 },
      { kind: "fifo", path: "queue", mode: 0o600 },
      { kind: "file", path: "src-2", mode: 0o4755, size: 7, digest: digest("c") },
    ],
  },
  {
    name: "paths are sorted by their bytes",
    entries: [
      { kind: "directory", path: "\u{1f680}", mode: 0o755 },
      { kind: "directory", path: "\ufb33", mode: 0o755 },
      { kind: "directory", path: "é", mode: 0o755 },
      { kind: "directory", path: "z", mode: 0o755 },
    ],
  },
];

interface DefinitionCase {
  readonly name: string;
  readonly definition: Definition;
  readonly resolution: {
    readonly platform: "linux/amd64" | "linux/arm64";
    readonly baseDigest: string;
    readonly secrets: Readonly<Record<string, readonly string[]>>;
  };
}

const onAmd64 = { platform: "linux/amd64", baseDigest: digest("1"), secrets: {} } as const;

export const definitionCases: readonly DefinitionCase[] = [
  {
    name: "a base alone",
    definition: { builderVersion: "2026.11", base: { kind: "debianSlim", pythonVersion: "3.13" }, steps: [] },
    resolution: onAmd64,
  },
  {
    name: "a base with the same digest under another name, for the same platform",
    definition: {
      builderVersion: "2026.11",
      platform: "linux/amd64",
      base: { kind: "fromRegistry", reference: "mirror.example/python:3.13-slim" },
      steps: [],
    },
    resolution: onAmd64,
  },
  {
    name: "the same for another platform",
    definition: { builderVersion: "2026.11", platform: "linux/arm64", base: { kind: "debianSlim", pythonVersion: "3.13" }, steps: [] },
    resolution: { ...onAmd64, platform: "linux/arm64" },
  },
  {
    name: "every operation",
    definition: {
      builderVersion: "2026.11",
      base: { kind: "debianSlim", pythonVersion: "3.11" },
      steps: [
        { kind: "aptInstall", arguments: ["git", "curl", "--no-upgrade"] },
        { kind: "pipInstall", arguments: ["requests", "pandas==2.0.0"], indexUrl: "https://index.example/simple/", pre: true },
        { kind: "copyLocalDir", tree: digest("d"), destination: "/app/src" },
        { kind: "copyLocalFile", tree: digest("e"), destination: "requirements.txt" },
        { kind: "env", variables: { LOG_LEVEL: "INFO", API_TIMEOUT: "30", GREETING: "grüße\n$HOME" } },
        { kind: "workdir", path: "/app" },
        { kind: "runCommands", commands: ["make", "make install"], gpu: "A100:2" },
      ],
    },
    resolution: onAmd64,
  },
  {
    name: "local Python packages and a Poetry project",
    definition: {
      builderVersion: "2026.11",
      base: { kind: "debianSlim", pythonVersion: "3.11" },
      steps: [
        {
          kind: "addPythonPackages",
          tree: digest("f"),
          packages: [
            { kind: "wheel", name: "sample-1.0-py3-none-any.whl" },
            { kind: "sdist", name: "other-1.0.tar.gz" },
            { kind: "project", name: "my-project" },
            { kind: "module", name: "my_module" },
          ],
          gpu: "any",
        },
        { kind: "poetryInstallFromFile", tree: digest("9") },
        {
          kind: "poetryInstallFromFile",
          tree: digest("9"),
          extras: ["net"],
          groups: ["dev", "docs"],
          secrets: [{ kind: "inline", variables: ["POETRY_HTTP_BASIC_PRIVATE_PASSWORD"] }],
        },
      ],
    },
    resolution: onAmd64,
  },
  {
    name: "instructions of a Dockerfile, with and without files",
    definition: {
      builderVersion: "2026.11",
      base: { kind: "fromRegistry", reference: "debian:13" },
      steps: [
        { kind: "dockerfileCommands", commands: ["RUN echo hello", "ENV A=b \\\n  C=d"] },
        {
          kind: "dockerfileCommands",
          commands: ["COPY <<EOF src/ /app/\n$A\nEOF"],
          tree: digest("a"),
          gpu: "T4",
          secrets: [{ kind: "inline", variables: ["TOKEN"] }],
        },
      ],
    },
    resolution: onAmd64,
  },
  {
    name: "functions that run while building",
    definition: {
      builderVersion: "2026.11",
      base: { kind: "debianSlim", pythonVersion: "3.11" },
      steps: [
        { kind: "runFunction", language: "javascript", name: "fetch", source: "async () => 1" },
        {
          kind: "runFunction",
          language: "python",
          name: "download",
          source: "def download(*names, size):\n    pass\n",
          args: ["grüße", 1e21, 0.1, true, null, ["a", { z: 1, a: 2 }]],
          kwargs: { size: 3 },
          gpu: "T4",
          secrets: [{ kind: "inline", variables: ["TOKEN"] }],
        },
      ],
    },
    resolution: onAmd64,
  },
  {
    name: "secrets are their sorted variable names, whoever brings them",
    definition: {
      builderVersion: "2026.11",
      base: { kind: "debianSlim", pythonVersion: "3.11" },
      steps: [
        {
          kind: "runCommands",
          commands: ["git clone https://${GITHUB_TOKEN}@git.example/repo.git /app"],
          secrets: [
            { kind: "named", name: "tokens" },
            { kind: "inline", variables: ["GITHUB_TOKEN", "B"] },
          ],
        },
        { kind: "pipInstall", arguments: ["private-package"], secrets: [{ kind: "named", name: "tokens" }] },
      ],
    },
    resolution: { ...onAmd64, secrets: { tokens: ["B", "A"] } },
  },
];
