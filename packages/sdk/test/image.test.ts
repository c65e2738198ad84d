import * as fc from "fast-check";
import { App, type ErrorReason, Image, type ImageState, imagesOf, imageState, LaminaError, Secret } from "lamina";
import { describe, expect, test } from "vitest";
import { IMAGE } from "../src/image-state.ts";
import { baseValues, inlineValues } from "../src/image-secrets.ts";
import { thrownBy } from "./support/thrown-by.ts";

/** A method call that fits on any image. */
const step = fc.oneof(
  fc
    .array(fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z]$/), { minLength: 1, maxLength: 3 })
    .map((names) => (image: Image) => image.pipInstall(...names)),
  fc.stringMatching(/^[a-z]{1,8}$/).map((name) => (image: Image) => image.aptInstall(name)),
  fc.string({ minLength: 1 }).map((text) => (image: Image) => image.runCommands(`echo ${text.replaceAll("\0", "")}.`)),
  fc.stringMatching(/^[A-Z]{1,8}$/).map((name) => (image: Image) => image.env({ [`V_${name}`]: name })),
  fc.stringMatching(/^[a-z]{1,8}$/).map((name) => (image: Image) => image.workdir(`/${name}`)),
  fc.stringMatching(/^[a-z]{1,8}$/).map((name) => (image: Image) => image.copyLocalFile(name)),
  fc.boolean().map((forceBuild) => (image: Image) => image.runCommands("true", { forceBuild })),
);
const steps = fc.array(step, { maxLength: 5 });

function grow(image: Image, methods: readonly ((image: Image) => Image)[]): Image {
  return methods.reduce((grown, method) => method(grown), image);
}

function operations(image: Image): ImageState["steps"] {
  return imageState(image).steps;
}

test("two branches off one base never touch each other", () => {
  fc.assert(
    fc.property(steps, steps, steps, (common, left, right) => {
      const base = grow(Image.debianSlim(), common);
      const before = structuredClone(operations(base));
      const one = grow(base, left);
      const other = grow(base, right);
      expect(operations(base)).toEqual(before);
      expect(operations(one)).toEqual([...before, ...operations(grow(Image.debianSlim(), left))]);
      expect(operations(other)).toEqual([...before, ...operations(grow(Image.debianSlim(), right))]);
    }),
  );
});

test("thousands of steps are as quick to add as a few", () => {
  let grown = image;
  for (let n = 0; n < 3_000; n++) grown = grown.env({ [`A${n}`]: "x" });
  expect(imageState(grown).steps).toHaveLength(3_000);
});

test("changing what was passed in does not change the image", () => {
  const variables = { A: "1" };
  const packages = ["numpy"];
  const links = ["/wheels"];
  const image = Image.debianSlim()
    .env(variables)
    .pipInstall(...packages, { findLinks: links });
  const before = structuredClone(operations(image));
  variables.A = "2";
  packages.push("pandas");
  links[0] = "/other";
  expect(operations(image)).toEqual(before);
});

test("an image says where each of its methods was called", () => {
  const image = Image.debianSlim() // here
    .aptInstall("git")

    .workdir("/srv");
  const { sources } = imageState(image);
  const [first] = sources;
  expect(first?.file).toBe(import.meta.filename);
  expect(sources.map((source) => (source?.line ?? 0) - (first?.line ?? 0))).toEqual([0, 1, 3]);
});

test("each method becomes its operation", () => {
  const secret = Secret.fromDict({ B: "2", A: "1" });
  const image = Image.debianSlim({ pythonVersion: "3.11" })
    .pipInstall("numpy", "-r", "requirements.txt", {
      pre: true,
      indexUrl: "https://index/simple",
      findLinks: ["/a", "/b"],
      extraIndexUrl: "https://x",
    })
    .aptInstall("--purge", "git", { secrets: [Secret.fromDict({ MIRROR: "m" })], gpu: "T4" })
    .runCommands("true", "false", { secrets: [secret, Secret.fromName("other")], gpu: "A100:2" })
    .env({ A: "" })
    .workdir("./src/");
  expect(imageState(image).base).toEqual({ kind: "debianSlim", pythonVersion: "3.11" });
  expect(operations(image)).toEqual([
    {
      kind: "pipInstall",
      arguments: ["--find-links", "/b", "numpy", "-r", "requirements.txt"],
      findLinks: "/a",
      indexUrl: "https://index/simple",
      extraIndexUrl: "https://x",
      pre: true,
    },
    { kind: "aptInstall", arguments: ["--purge", "git"], gpu: "T4", secrets: [{ kind: "inline", variables: ["MIRROR"] }] },
    {
      kind: "runCommands",
      commands: ["true", "false"],
      gpu: "A100:2",
      secrets: [
        { kind: "inline", variables: ["A", "B"] },
        { kind: "named", name: "other" },
      ],
    },
    { kind: "env", variables: { A: "" } },
    { kind: "workdir", path: "src" },
  ]);
});

test("a base of a registry is kept as it was written", () => {
  expect(imageState(Image.fromRegistry("ghcr.io/a/b:1")).base).toEqual({ kind: "fromRegistry", reference: "ghcr.io/a/b:1" });
});

test("the secret of a base is named by it, and its values are with the image's others", () => {
  const values = { REGISTRY_USERNAME: "me", REGISTRY_PASSWORD: "p", MORE: "x" };
  const image = Image.fromRegistry("ghcr.io/a/b:1", { secret: Secret.fromDict(values) });
  const secret = { kind: "inline", variables: ["REGISTRY_PASSWORD", "REGISTRY_USERNAME"] };
  expect(imageState(image).base).toEqual({ kind: "fromRegistry", reference: "ghcr.io/a/b:1", secret });
  expect(inlineValues(imageState(image).secrets)).toEqual(values);
  expect(baseValues(imageState(image))).toEqual({ REGISTRY_USERNAME: "me", REGISTRY_PASSWORD: "p" });
  const named = Image.fromRegistry("ghcr.io/a/b:1", { secret: Secret.fromName("registry") });
  expect(imageState(named).base).toMatchObject({ secret: { kind: "named", name: "registry" } });
  expect(baseValues(imageState(named))).toEqual({});
});

test("the secret of a base has to bring what a registry asks for", () => {
  const call = () => Image.fromRegistry("ghcr.io/a/b:1", { secret: Secret.fromDict({ REGISTRY_USERNAME: "me", PASSWORD: "p" }) });
  expect(thrownBy(call)).toMatchObject({
    code: "SECRET_MISSING",
    reason: "incomplete-secret",
    message: "fromRegistry: the secret has no REGISTRY_PASSWORD; it has to bring REGISTRY_USERNAME and REGISTRY_PASSWORD",
    info: { source: { file: import.meta.filename } },
  });
});

test("an image of another version of the SDK is refused, in words that help", () => {
  const foreign = { [IMAGE]: { ...imageState(Image.debianSlim()), format: 2 } };
  expect(thrownBy(() => imageState(foreign))).toMatchObject({
    code: "INVALID_INPUT",
    reason: "other-sdk",
    message: expect.stringContaining("another version of the package `lamina`"),
  });
});

test("the first forced layer is remembered, counted with the base as 0", () => {
  const image = Image.debianSlim().aptInstall("git").aptInstall("curl", { forceBuild: true }).pipInstall("numpy", { forceBuild: true });
  expect(imageState(image).forcedFrom).toBe(2);
  expect(imageState(Image.debianSlim().aptInstall("git", { forceBuild: false })).forcedFrom).toBeUndefined();
});

test.each([
  ["a relative file keeps its path", "src/a.py", undefined, "src/a.py"],
  ["a dot in front is no part of it", "./src/a.py", undefined, "src/a.py"],
  ["a remote path counts", "/etc/hostname", "/app/name", "/app/name"],
  ["a slash at the end means a directory", "a.py", "/app/", "/app/"],
  ["doubled slashes are one", "a.py", "/app//x/./a.py", "/app/x/a.py"],
])("copyLocalFile: %s", (...[, local, remote, destination]) => {
  const [copy] = operations(Image.debianSlim().copyLocalFile(local, remote));
  expect(copy).toMatchObject({ kind: "localCopy", destination });
});

const image = Image.debianSlim();
/** A call that somebody without a type checker may write. */
const unchecked = (method: "pipInstall" | "aptInstall" | "runCommands" | "dockerfileCommands" | "env", ...given: unknown[]): unknown =>
  Reflect.apply(image[method], image, given);
const debianSlim = (options: unknown): unknown => Reflect.apply(Reflect.get(Image, "debianSlim"), Image, [options]);
/** The compiler takes any object for one with other options. */
const uncheckedBase = (options: { readonly [name: string]: string }): unknown => Image.fromRegistry("x", options);

type Fault = readonly [what: string, reason: ErrorReason, call: () => unknown, message: RegExp];
const faults: readonly Fault[] = [
  [
    "a patch version of Python",
    "invalid-python-version",
    () => Image.debianSlim({ pythonVersion: "3.11.2" }),
    /debianSlim: pythonVersion: must be .* "3.12"/,
  ],
  ["an option of a base that there is not", "unknown-option", () => uncheckedBase({ password: "p" }), /fromRegistry: .*"password"/],
  ["a base's secret that is none", "invalid-argument", () => uncheckedBase({ secret: "p" }), /fromRegistry: secret: must be a Secret/],
  ["GPUs by a word", "invalid-gpu", () => image.runCommands("true", { gpu: "T4:two" }), /runCommands: gpu: must be like "T4"/],
  ["no GPU at all", "invalid-gpu", () => image.aptInstall("git", { gpu: "T4:0" }), /aptInstall: gpu: must be like "T4"/],
  ["a base with a space", "invalid-reference", () => Image.fromRegistry("python 3"), /fromRegistry: "python 3" is not an image reference/],
  [
    "a base with capitals in its name",
    "invalid-reference",
    () => Image.fromRegistry("Python:3.12"),
    /"Python:3.12" is not an image reference such as "python/,
  ],
  [
    "a requirement that is none",
    "invalid-requirement",
    () => image.pipInstall("numpy pandas"),
    /"numpy pandas" is not a requirement .* after "numpy" comes "pandas"/,
  ],
  [
    "an index that is no URL",
    "invalid-index-url",
    () => image.pipInstall("x", { indexUrl: "index.example" }),
    /"index.example" is not the URL of a package index/,
  ],
  [
    "a space in the URL of an index",
    "invalid-index-url",
    () => image.pipInstall("six", { indexUrl: "https://index.example/simple x" }),
    /"https:\/\/index\.example\/simple x" is not the URL of a package index/,
  ],
  ...["--help", "--dry-run", "-qh"].map((flag): (typeof faults)[number] => [
    `the flag ${flag}, with which nothing is installed`,
    "invalid-requirement",
    () => image.pipInstall(flag, "six"),
    new RegExp(`with "${flag}" nothing is installed: leave it out`),
  ]),
  [
    "a second index that is no URL",
    "invalid-index-url",
    () => image.pipInstall("x", { extraIndexUrl: ["https://a", "b c"] }),
    /"b c" is not the URL/,
  ],
  [
    "two Debian packages in one string",
    "invalid-package-name",
    () => image.aptInstall("git curl"),
    /"git curl" is not the name of a package/,
  ],
  ["no package", "empty-arguments", () => image.pipInstall(), /pipInstall: give at least one package/],
  ["an empty package", "empty-arguments", () => image.aptInstall("git", " "), /aptInstall: package 2: is empty/],
  [
    "something that is no string among packages",
    "invalid-argument",
    () => unchecked("pipInstall", 3, "x"),
    /pipInstall: package 1: must be a string/,
  ],
  ["an option that does not exist", "unknown-option", () => unchecked("pipInstall", "x", { force_build: true }), /force_build/],
  ...(["runCommands", "pipInstall", "aptInstall"] as const).map((method): Fault => [
    `a secret in place of the options of ${method}`,
    "invalid-argument",
    () => unchecked(method, "git", Secret.fromName("s")),
    new RegExp(`^${method}: the options must be a plain object: write \\{ secrets: \\[secret\\] \\}$`),
  ]),
  [
    "a secret in place of the options of instructions",
    "invalid-argument",
    () => unchecked("dockerfileCommands", ["RUN true"], Secret.fromName("s")),
    /write \{ secrets: \[secret\] \}$/,
  ],
  [
    "a secret in place of the options of a base",
    "invalid-argument",
    (): unknown => Reflect.apply(Image.fromRegistry.bind(Image), undefined, ["debian", Secret.fromName("s")]),
    /^fromRegistry: the options must be a plain object: write \{ secret \}$/,
  ],
  ...[new Map([["gpu", "T4"]]), Promise.resolve({ gpu: "T4" }), new Date(), image].map((other): Fault => [
    `a ${other.constructor.name} in place of options`,
    "invalid-argument",
    () => unchecked("runCommands", "true", other),
    /^runCommands: the options must be a plain object$/,
  ]),
  ["a GPU that cannot be", "invalid-gpu", () => image.runCommands("true", { gpu: "two of them" }), /runCommands: gpu: must be like "T4"/],
  [
    "a secret that is none",
    "invalid-argument",
    () => unchecked("runCommands", "true", { secrets: [{ A: "1" }] }),
    /secrets.1: must be a Secret/,
  ],
  [
    "an undeclared expansion",
    "undeclared-secret",
    () => image.pipInstall("https://${TOKEN}@x/y.whl"),
    /\$\{TOKEN\} is no variable of a secret/,
  ],
  ["a variable that no shell expands", "invalid-variable-name", () => image.env({ "A-B": "1" }), /env: A-B: a variable's name/],
  ["a number as a value", "invalid-argument", () => unchecked("env", { A: 1 }), /env: A: must be a string/],
  ["no variable", "empty-arguments", () => image.env({}), /env: there is no variable/],
  ["NUL in a command", "invalid-text", () => image.runCommands("echo \0"), /NUL/],
  ["no command", "empty-arguments", () => image.runCommands(), /runCommands: give at least one command/],
  [
    "no Debian package but options",
    "empty-arguments",
    () => image.aptInstall({ forceBuild: true }),
    /aptInstall: give at least one package/,
  ],
  ["NUL in a local path", "invalid-local-path", () => image.copyLocalFile("a\0b", "/a"), /copyLocalFile: the local path: holds a NUL/],
  ["NUL in a remote path", "invalid-remote-path", () => image.copyLocalDir("a", "/a\0b"), /NUL/],
  ["NUL in a working directory", "invalid-working-directory", () => image.workdir("/a\0b"), /NUL/],
  ["no working directory", "empty-arguments", () => image.workdir(""), /workdir: the path in the image: is empty/],
  [".. in a working directory", "invalid-working-directory", () => image.workdir("/a/../b"), /workdir: .*\.\./],
  [
    "a name that marks a deleted file",
    "invalid-remote-path",
    () => image.copyLocalFile("a", "/app/.wh.a"),
    /begins with .wh., which marks a deleted file/,
  ],
  [
    "a pattern that is none",
    "invalid-ignore-pattern",
    () => image.copyLocalDir("a", "/a", { ignore: ["*.log", "[a"] }),
    /ignore: "\[a" is no pattern: a \[ has no \]/,
  ],
  [
    "an exception from nothing",
    "invalid-ignore-pattern",
    () => image.copyLocalDir("a", "/a", { ignore: "!" }),
    /ignore: "!" is no pattern: there is nothing after/,
  ],
  ["options that are none", "invalid-argument", () => unchecked("runCommands", "true", { gpu: 4 }), /^runCommands: gpu: must be a string$/],
  [
    "an option that there is not",
    "unknown-option",
    () => unchecked("pipInstall", "six", { prre: true }),
    /^pipInstall: there is no option "prre"$/,
  ],
  ["no options", "invalid-argument", () => debianSlim(3.12), /^debianSlim: the options must be an object$/],
  [
    "a version in place of the options",
    "invalid-argument",
    () => debianSlim("3.12"),
    /^debianSlim: the options must be an object: write debianSlim\(\{ pythonVersion: "3.12" \}\)$/,
  ],
  [
    "a flag that pip does not have",
    "invalid-requirement",
    () => image.pipInstall("--frobnicate"),
    /"--frobnicate" is no flag of pip or of uv/,
  ],
  ["a newline in a working directory", "invalid-working-directory", () => image.workdir("/srv\n"), /"\/srv\\n" holds a control character/],
  ["a newline in a remote path", "invalid-remote-path", () => image.copyLocalFile("a", "/a\n"), /"\/a\\n" holds a control character/],
  [
    "a list",
    "invalid-argument",
    () => unchecked("pipInstall", ["six", "numpy"]),
    /^pipInstall: give each package as an argument of its own.*\.\.\.list/,
  ],
  [
    "the value of a secret in place of its name",
    "secret-value-in-step",
    () => image.runCommands("echo ghp_0123", { secrets: [Secret.fromDict({ TOKEN: "ghp_0123" })] }),
    /^(?!.*ghp_).*runCommands: the value of the secret TOKEN is in what is to be built.* write \$\{TOKEN\}/,
  ],
  [
    "a variable of a secret by which the programs of the image are found",
    "reserved-variable",
    () => image.runCommands("ls", { secrets: [Secret.fromDict({ PATH: "/evil/evil/evil" })] }),
    /^runCommands: PATH is used by the platform while it builds: choose another name/,
  ],
  ["a secret of nothing", "empty-arguments", () => Secret.fromDict({}), /Secret.fromDict: give at least one variable/],
  ["a secret of no variable", "empty-arguments", () => Secret.fromEnv([]), /Secret.fromEnv: give at least one variable name/],
  ["a secret without a name", "invalid-secret-name", () => Secret.fromName(""), /Secret.fromName: a secret's name is/],
  [
    "more layers than can be",
    "too-many-layers",
    () => Array.from({ length: 121 }).reduce<Image>((grown) => grown.workdir("/x"), image),
    /^workdir: the image has 121 layers of files, and no more than 120 fit \(.*\): give several commands/,
  ],
  [
    "a definition that is too large",
    "definition-too-large",
    () => image.runCommands("x".repeat(4 * 1024 * 1024)),
    /more than 4194304 bytes: put long texts/,
  ],
  ["~ in a remote path", "invalid-remote-path", () => image.copyLocalDir("src", "~/app"), /~/],
  ["~ in a working directory", "invalid-working-directory", () => image.workdir("~/app"), /~/],
  [
    "a Debian package with a sign that no name has",
    "invalid-package-name",
    () => image.aptInstall("Git!"),
    /"Git!" is not the name of a package: it is like "git"/,
  ],
  ["flags of apt alone", "empty-arguments", () => image.aptInstall("--purge"), /aptInstall: there is no package, but flags alone/],
  ["the name of a secret that cannot be", "invalid-secret-name", () => Secret.fromName("a b"), /a secret's name is/],
  [
    "a variable of a secret that no shell expands",
    "invalid-variable-name",
    () => Secret.fromDict({ "A-B": "1" }),
    /A-B: a variable's name/,
  ],
  ["a value that no environment holds", "invalid-secret-value", () => Secret.fromDict({ A: "b\0" }), /A: a value holds no NUL/],
  [
    "a secret where it would be seen",
    "misplaced-secret",
    () => image.pipInstall("--proxy", "https://${A}@x", "six", { secrets: [Secret.fromDict({ A: "long-value" })] }),
    /a secret can stand in a requirement or the URL of an index/,
  ],
  [".. in a remote path", "invalid-remote-path", () => image.copyLocalDir("src", "/app/../x"), /\.\./],
  [
    "~ in a local path",
    "invalid-local-path",
    () => image.copyLocalFile("~/.ssh/id"),
    /^copyLocalFile: the local path "~\/.ssh\/id" begins with ~, which only a shell replaces: write it in full$/,
  ],
  ["an escaping path without a remote one", "missing-remote-path", () => image.copyLocalFile("../x"), /lies outside the working directory/],
  ["an absolute path without a remote one", "missing-remote-path", () => image.copyLocalDir("/etc"), /lies outside the working directory/],
  [
    "one variable with two values",
    "conflicting-secrets",
    () =>
      image.runCommands("true", { secrets: [Secret.fromDict({ A: "1" })] }).runCommands("true", { secrets: [Secret.fromDict({ A: "2" })] }),
    /secrets of this image give A different values/,
  ],
];

describe("what cannot be right is an error at the call", () => {
  test.each(faults)("%s", (...[, reason, call, message]) => {
    const error = thrownBy(call);
    expect(error).toBeInstanceOf(LaminaError);
    expect(error).toMatchObject({ code: "INVALID_INPUT", reason, info: { reason, source: { file: import.meta.filename } } });
    expect(error).toHaveProperty("message", expect.stringMatching(message));
  });

  test("a builder version that this release does not know", () => {
    expect(thrownBy(() => Image.debianSlim({ builderVersion: "1999.01" }))).toMatchObject({
      code: "UNKNOWN_BUILDER_VERSION",
      reason: "unknown-builder-version",
      message: 'there is no builder version "1999.01"; known are 2026.11',
      info: { source: { file: import.meta.filename } },
    });
  });
});

describe("images of a module", () => {
  const app = new App("shop");
  const web = Image.debianSlim().pipInstall("fastapi");
  const worker = Image.debianSlim().pipInstall("celery");
  const serve = app.function({ image: web }, function serve() {});
  app.function({ image: worker }, function work() {});

  test("are its exports, then those of its functions, each once", () => {
    const found = imagesOf({ web, serve, app, other: 3 });
    expect(found).toEqual([
      { name: "web", image: web },
      { name: "shop.work", image: worker },
    ]);
  });

  test("an exported function names its image", () => {
    expect(imagesOf({ serve })).toEqual([{ name: "serve", image: web }]);
  });

  test("an option that there is not is refused by functions", () => {
    const options = { image: web, gpus: "T4" };
    expect(thrownBy(() => app.function(options, () => {}))).toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("gpus"),
    });
  });

  test("a function holds its image and its handler", () => {
    const add = app.function({ image: web }, (a: number, b: number) => a + b);
    expect(add.image).toBe(web);
    expect(add.local(1, 2)).toBe(3);
  });
});
