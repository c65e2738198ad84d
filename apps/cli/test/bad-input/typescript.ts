/** Bad inputs as files in TypeScript. */
import type { ErrorCode, ErrorReason } from "lamina";

export interface BadInput {
  readonly what: string;
  readonly reason: ErrorReason | undefined;
  readonly code?: ErrorCode;
  /** An expression for an image; what is wrong is on the line that {@link MARK} is on. */
  readonly image: string;
}

export const MARK = "// here";
const step = (call: string) => `Image.debianSlim()\n  .env({ A: "1" })\n  .${call} ${MARK}\n  .workdir("/srv")`;
const instructions = (text: string, more = "") => step(`dockerfileCommands([${JSON.stringify(text)}]${more})`);
const inContext = ', { contextFiles: { a: "files/a" } }';
const TWICE = ', { contextFiles: { a: "files", "a/a": "files/a" } }';
const poetry = (project: string, options = "{}") =>
  step(`poetryInstallFromFile("poetry/${project}/pyproject.toml", undefined, ${options})`);
const login = 'Secret.fromDict({ REGISTRY_USERNAME: "{USERNAME}", REGISTRY_PASSWORD: "{PASSWORD}" })';
const secret = 'Secret.fromDict({ TOKEN: "hunter2" })';

export const IN_TYPESCRIPT: readonly BadInput[] = [
  {
    what: "a builder version that there is not",
    code: "UNKNOWN_BUILDER_VERSION",
    reason: "unknown-builder-version",
    image: `Image.debianSlim({ builderVersion: "1999.01" }) ${MARK}`,
  },
  { what: "a Python version that is none", reason: "invalid-python-version", image: `Image.debianSlim({ pythonVersion: "3.07" }) ${MARK}` },
  {
    what: "a Python version that no base has",
    code: "BASE_NOT_FOUND",
    reason: "unknown-python-version",
    image: `Image.debianSlim({ pythonVersion: "3.99" }) ${MARK}`,
  },
  { what: "an image tag that is none", reason: "invalid-reference", image: `Image.fromRegistry("TEAM/app:1") ${MARK}` },
  { what: "an option that there is not", reason: "unknown-option", image: step('pipInstall("six", { cache: true })') },
  { what: "a number in place of a command", reason: "invalid-argument", image: step("runCommands(1)") },
  { what: "no command", reason: "empty-arguments", image: step("runCommands()") },
  { what: "NUL in a command", reason: "invalid-text", image: step('runCommands("a\\0b")') },
  { what: "a requirement that is none", reason: "invalid-requirement", image: step('pipInstall("numpy=1.0")') },
  { what: "a URL that ends after its scheme", reason: "invalid-requirement", image: step('pipInstall("git+https://")') },
  { what: "an index that is no URL", reason: "invalid-index-url", image: step('pipInstall("six", { indexUrl: "localhost:1/simple" })') },
  { what: "a Debian package that is none", reason: "invalid-package-name", image: step('aptInstall("Git!")') },
  { what: "a variable that no shell expands", reason: "invalid-variable-name", image: step('env({ "A-B": "1" })') },
  { what: "a variable of the platform's own", reason: "reserved-variable", image: step('env({ LAMINA_NL: "1" })') },
  { what: "a variable that is too large", reason: "environment-too-large", image: step('env({ A: "x".repeat(140_000) })') },
  { what: ".. in a working directory", reason: "invalid-working-directory", image: step('workdir("/a/../b")') },
  { what: "~ in a remote path", reason: "invalid-remote-path", image: step('copyLocalFile("files/a", "~/a")') },
  { what: "NUL in a local path", reason: "invalid-local-path", image: step('copyLocalFile("files/\\0", "/a")') },
  { what: "a local path from outside without a remote one", reason: "missing-remote-path", image: step('copyLocalFile("../a")') },
  { what: "a local file that is not there", reason: "missing-file", image: step('copyLocalFile("files/gone", "/a")') },
  { what: "a file in place of a directory", reason: "wrong-file-kind", image: step('copyLocalDir("files/a", "/a")') },
  { what: "a device", reason: "special-file", image: step('copyLocalFile("/dev/null", "/a")') },
  { what: "a file of the kernel's", reason: "special-file", image: step('copyLocalFile("/proc/version", "/a")') },
  { what: "a file that marks a deleted one", reason: "reserved-file-name", image: step('copyLocalDir("marks", "/a")') },
  { what: "a name that is not UTF-8", reason: "name-not-utf8", image: step('copyLocalDir("latin", "/a")') },
  { what: "a link to itself", reason: "link-cycle", image: step('copyLocalFile("circle/a", "/a")') },
  {
    what: "a condition that fails",
    reason: "failed-condition",
    image: step('copyLocalDir("files", "/a", { condition: () => { throw new Error("no"); } })'),
  },
  { what: "a pattern that is none", reason: "invalid-ignore-pattern", image: step('copyLocalDir("files", "/a", { ignore: ["[a"] })') },
  {
    what: "a secret's name that is none",
    reason: "invalid-secret-name",
    image: step('runCommands("true", { secrets: [Secret.fromName("a b")] })'),
  },
  {
    what: "an empty secret",
    reason: "invalid-secret-value",
    image: step('runCommands("true", { secrets: [Secret.fromDict({ A: "" })] })'),
  },
  {
    what: "a secret of a variable that is not set",
    code: "SECRET_MISSING",
    reason: "unset-variable",
    image: step('runCommands("true", { secrets: [Secret.fromEnv(["LAMINA_TEST_UNSET"])] })'),
  },
  {
    what: "a named secret that nobody has set",
    code: "SECRET_MISSING",
    reason: "unknown-secret",
    image: step('runCommands("true", { secrets: [Secret.fromName("nobody-has-set-it")] })'),
  },
  { what: "a secret that is not declared", reason: "undeclared-secret", image: step('pipInstall("git+https://${TOKEN}@a.example/b")') },
  {
    what: "a secret where an image would keep it",
    reason: "misplaced-secret",
    image: instructions("ENV A=$TOKEN", `, { secrets: [${secret}] }`),
  },
  {
    what: "two secrets with one variable",
    reason: "conflicting-secrets",
    image: step(`runCommands("true", { secrets: [${secret}, Secret.fromDict({ TOKEN: "other" })] })`),
  },
  {
    what: "a secret's value in place of its name",
    reason: "secret-value-in-step",
    image: step(`runCommands("curl -H hunter2-and-more", { secrets: [Secret.fromDict({ TOKEN: "hunter2-and-more" })] })`),
  },
  { what: "a pyproject that is none", reason: "invalid-pyproject", image: step('poetryInstallFromFile("files/a")') },
  {
    what: "a package for another Python",
    reason: "wheel-for-another-python",
    image: step('addPythonPackages("wheels/a-1.0-cp27-cp27m-any.whl")'),
  },
  {
    what: "a package for another platform",
    reason: "wheel-for-another-platform",
    image: step('addPythonPackages("wheels/a-1.0-py3-none-win_amd64.whl")'),
  },
  { what: "a package that is none", reason: "invalid-package", image: step('addPythonPackages("wheels/a.whl")') },
  { what: "a GPU that no machine has", reason: "invalid-gpu", image: step('runCommands("true", { gpu: "T4:0" })') },
  { what: "a GPU that no pool has", code: "POOL_UNAVAILABLE", reason: undefined, image: step('runCommands("true", { gpu: "T4" })') },
  { what: "FROM", reason: "from-instruction", image: instructions("FROM debian") },
  { what: "a local ADD", reason: "local-add", image: instructions("ARG D=.\nADD $D /x", inContext) },
  { what: "an unknown instruction", reason: "unknown-instruction", image: instructions("INSTALL git") },
  { what: "an open heredoc", reason: "open-heredoc", image: instructions("RUN <<EOF\ntrue") },
  { what: "a backslash at the end", reason: "open-instruction", image: instructions("RUN true \\") },
  { what: "COPY of what is not in the context", reason: "missing-source", image: instructions("COPY b /x", inContext) },
  { what: "COPY of a variable that nothing sets", reason: "missing-source", image: instructions("COPY $NOPE /x", inContext) },
  { what: "COPY from outside the context", reason: "escaping-source", image: instructions("COPY ../a /x", inContext) },
  {
    what: "a place outside the context",
    reason: "invalid-context-path",
    image: instructions("COPY a /x", ', { contextFiles: { "../a": "files/a" } }'),
  },
  { what: "an instruction that cannot be right", reason: "invalid-instruction", image: instructions("EXPOSE http") },
  {
    what: "commands for a shell that is not POSIX",
    reason: "unsuitable-shell",
    image: `Image.debianSlim()\n  .dockerfileCommands(['SHELL ["python3", "-c"]'])\n  .runCommands("true") ${MARK}`,
  },
  {
    what: "a base that its registry does not have",
    code: "BASE_NOT_FOUND",
    reason: "unknown-base",
    image: `Image.fromRegistry("{REGISTRY}/nothing:1", { secret: ${login} }) ${MARK}`,
  },
  {
    what: "a base for machines of another kind",
    code: "BASE_NOT_FOUND",
    reason: "base-for-another-platform",
    image: `Image.fromRegistry("{FOREIGN}", { secret: ${login} }) ${MARK}`,
  },
  {
    what: "a base that only others may read",
    code: "BASE_UNAUTHORIZED",
    reason: undefined,
    image: `Image.fromRegistry("{FOREIGN}") ${MARK}`,
  },
  {
    what: "credentials without a password",
    code: "SECRET_MISSING",
    reason: "incomplete-secret",
    image: `Image.fromRegistry("{REGISTRY}/nothing:1", { secret: Secret.fromDict({ REGISTRY_USERNAME: "me" }) }) ${MARK}`,
  },
  {
    what: "commands where there is no shell",
    reason: "missing-shell",
    image: `Image.fromRegistry("scratch")\n  .env({ A: "1" })\n  .runCommands("true") ${MARK}`,
  },
  {
    what: "RUN where there is no shell",
    reason: "missing-shell",
    image: `Image.fromRegistry("scratch")\n  .dockerfileCommands(["WORKDIR /x\\nRUN true"]) ${MARK}`,
  },
  { what: "a function without a source", reason: "invalid-function", image: step("runFunction(Math.max)") },
  { what: "a function that its file does not define", reason: "invalid-function", image: step('runFunction("files/model.py:upload")') },
  { what: "two local files for one place", reason: "colliding-files", image: instructions("COPY a /x", TWICE) },
  { what: "a file that is not UTF-8", reason: "file-not-utf8", image: step('runFunction("files/latin.py:f")') },
  {
    what: "a file that may not be read",
    reason: "unreadable-file",
    // Root may read everything, and so ceases to be root.
    image: step('copyLocalDir("closed", "/a", { condition: () => (process.geteuid?.() === 0 && process.seteuid?.(65_534), true) })'),
  },
  {
    what: "a file that changes while it is read",
    reason: "changed-file",
    image: step('copyLocalDir("changing", "/a", { condition: (file) => (appendFileSync(file, "more"), true) })'),
  },
  { what: "a group that the project does not have", reason: "unknown-group", image: poetry("fit", '{ groups: ["dev"] }') },
  { what: "an extra that the project does not have", reason: "unknown-group", image: poetry("fit", '{ extras: ["gpu"] }') },
  { what: "a project that needs files beside it", reason: "local-dependency", image: poetry("local", "{ ignoreLockfile: true }") },
  { what: "a lock that Poetry did not write", reason: "invalid-lock", image: poetry("other") },
  { what: "a lock of another project", reason: "stale-lock", image: poetry("stale") },
  {
    what: "a Python that Poetry does not run under",
    reason: "unsupported-python",
    image: `Image.debianSlim({ pythonVersion: "3.9" })\n  .poetryInstallFromFile("poetry/fit/pyproject.toml") ${MARK}`,
  },
  { what: "a flag that pip does not have", reason: "invalid-requirement", image: step('pipInstall("--frobnicate", "six")') },
  { what: "a newline in a working directory", reason: "invalid-working-directory", image: step('workdir("/srv\\n")') },
  {
    what: "a version in place of options",
    reason: "invalid-argument",
    image: `(Reflect.apply(Image.debianSlim, Image, ["3.12"]) ${MARK}\n)`,
  },
  {
    what: "a file that fails when it is loaded",
    reason: "failing-file",
    image: `Image.debianSlim()\n;\nthrow new Error("out of luck") ${MARK}`,
  },
  {
    what: "more than 120 layers",
    reason: "too-many-layers",
    image: `Array.from({ length: 121 }).reduce<Image>(\n  (image) => image\n    .runCommands("true"), ${MARK}\n  Image.debianSlim(),\n)`,
  },
  { what: "a definition of more than 4 MiB", reason: "definition-too-large", image: step('runCommands("x".repeat(5_000_000))') },
];

/** A user's file with that image. */
export function typescriptFile({ image }: Pick<BadInput, "image">): string {
  const imports = 'import { Image, Secret } from "lamina";\nimport { appendFileSync } from "node:fs";\nvoid [Secret, appendFileSync];';
  return `${imports}\nexport const image = ${image}\n;\n`;
}
