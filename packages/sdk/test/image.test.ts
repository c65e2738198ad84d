import * as fc from "fast-check";
import { App, Image, type ImageState, imagesOf, imageState, LaminaError, Secret } from "lamina";
import { describe, expect, test } from "vitest";

/** A method call that fits on any image. */
const step = fc.oneof(
  fc
    .array(fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/), { minLength: 1, maxLength: 3 })
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
const unchecked = (method: "pipInstall" | "runCommands" | "env", ...given: unknown[]): unknown =>
  Reflect.apply(image[method], image, given);

const faults: readonly (readonly [string, () => unknown, RegExp])[] = [
  ["a patch version of Python", () => Image.debianSlim({ pythonVersion: "3.11.2" }), /debianSlim: pythonVersion: must be .* "3.12"/],
  ["a base with a space", () => Image.fromRegistry("python 3"), /fromRegistry: the tag: is not an image reference/],
  ["no package", () => image.pipInstall(), /pipInstall: give at least one package/],
  ["an empty package", () => image.aptInstall("git", " "), /aptInstall: package 2: is empty/],
  ["something that is no string among packages", () => unchecked("pipInstall", 3, "x"), /pipInstall: package 1: must be a string/],
  ["an option that does not exist", () => unchecked("pipInstall", "x", { force_build: true }), /force_build/],
  ["a GPU that cannot be", () => image.runCommands("true", { gpu: "two of them" }), /runCommands: gpu: must be like "T4"/],
  ["a secret that is none", () => unchecked("runCommands", "true", { secrets: [{ A: "1" }] }), /secrets.0: must be a Secret/],
  ["an undeclared expansion", () => image.pipInstall("https://${TOKEN}@x/y.whl"), /\$\{TOKEN\} is no variable of a secret/],
  ["a variable that no shell expands", () => image.env({ "A-B": "1" }), /env: A-B: a variable's name/],
  ["a number as a value", () => unchecked("env", { A: 1 }), /env: A: must be a string/],
  ["no variable", () => image.env({}), /env: there is no variable/],
  ["NUL in a command", () => image.runCommands("echo \0"), /NUL/],
  ["~ in a remote path", () => image.workdir("~/app"), /~/],
  [".. in a remote path", () => image.copyLocalDir("src", "/app/../x"), /\.\./],
  ["an escaping path without a remote one", () => image.copyLocalFile("../x"), /lies outside the working directory/],
  ["an absolute path without a remote one", () => image.copyLocalDir("/etc"), /lies outside the working directory/],
  [
    "one variable with two values",
    () =>
      image.runCommands("true", { secrets: [Secret.fromDict({ A: "1" })] }).runCommands("true", { secrets: [Secret.fromDict({ A: "2" })] }),
    /give A different values/,
  ],
];

describe("what cannot be right is an error at the call", () => {
  test.each(faults)("%s", (_, call, message) => {
    const error = thrownBy(call);
    expect(error).toBeInstanceOf(LaminaError);
    expect(error).toMatchObject({ code: "INVALID_INPUT", info: { source: { file: import.meta.filename } } });
    expect(error).toHaveProperty("message", expect.stringMatching(message));
  });

  test("a builder version that this release does not know", () => {
    expect(thrownBy(() => Image.debianSlim({ builderVersion: "1999.01" }))).toMatchObject({ code: "UNKNOWN_BUILDER_VERSION" });
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

  test("an option that there is not is refused by functions and by bases of a registry", () => {
    const options = { image: web, gpu: "T4" };
    expect(thrownBy(() => app.function(options, () => {}))).toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("gpu"),
    });
    // @ts-expect-error It takes no options, and JavaScript does not know.
    const call = () => Image.fromRegistry("ghcr.io/a/b:1", { secret: Secret.fromName("registry") });
    expect(thrownBy(call)).toMatchObject({ code: "INVALID_INPUT", message: expect.stringMatching(/^fromRegistry: .*secret/) });
  });

  test("a function holds its image and its handler", () => {
    const add = app.function({ image: web }, (a: number, b: number) => a + b);
    expect(add.image).toBe(web);
    expect(add.handler(1, 2)).toBe(3);
  });
});

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}
