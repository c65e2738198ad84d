/** Bad inputs as files in Python; what is wrong is on the line that {@link MARK} is on. */
import type { ErrorCode, ErrorReason } from "lamina";

export interface BadInputInPython {
  readonly what: string;
  readonly code?: ErrorCode;
  /** Where the platform finds it; what the SDK for Python finds by itself has none. */
  readonly reason?: ErrorReason;
  /** An expression for an image. */
  readonly image: string;
  /** A part of the message, in the words of Python. */
  readonly message: string;
  /** Of what the platform alone can find, which has to see the files for it. */
  readonly isSent?: true;
}

export const MARK = "# here";
const step = (call: string) => `Image.debian_slim(python_version="3.13")\n    .env(A="1")\n    .${call}  ${MARK}\n    .workdir("/srv")`;
const instructions = (text: string, more = "") => step(`dockerfile_commands([${JSON.stringify(text)}]${more})`);
const inContext = ', context_files={"a": "files/a"}';
const poetry = (project: string, options = "") => step(`poetry_install_from_file("poetry/${project}/pyproject.toml"${options})`);
const login = 'Secret.from_dict({"REGISTRY_USERNAME": "{USERNAME}", "REGISTRY_PASSWORD": "{PASSWORD}"})';

export const IN_PYTHON: readonly BadInputInPython[] = [
  {
    what: "a builder version that there is not",
    code: "UNKNOWN_BUILDER_VERSION",
    image: `Image.debian_slim(builder_version="1999.01")  ${MARK}`,
    message: 'there is no builder version "1999.01"',
  },
  {
    what: "a Python version that is none",
    image: `Image.debian_slim("3.07")  ${MARK}`,
    message: "python_version: must be a major and minor",
  },
  {
    what: "a Python version that no base has",
    code: "BASE_NOT_FOUND",
    reason: "unknown-python-version",
    image: `Image.debian_slim("3.99")  ${MARK}`,
    message: "no Debian base with Python 3.99",
  },
  {
    what: "an image tag that is none",
    image: `Image.from_registry("TEAM/app:1")  ${MARK}`,
    message: '"TEAM/app:1" is not an image reference',
  },
  {
    what: "a base that its registry does not have",
    code: "BASE_NOT_FOUND",
    reason: "unknown-base",
    image: `Image.from_registry("{REGISTRY}/nothing:1", secret=${login})  ${MARK}`,
    message: "nothing:1 cannot be had",
  },
  {
    what: "a base for machines of another kind",
    code: "BASE_NOT_FOUND",
    reason: "base-for-another-platform",
    image: `Image.from_registry("{FOREIGN}", secret=${login})  ${MARK}`,
    message: "is not there for linux/",
  },
  {
    what: "a base that only others may read",
    code: "BASE_UNAUTHORIZED",
    image: `Image.from_registry("{FOREIGN}")  ${MARK}`,
    message: "may not be read",
  },
  { what: "no command", image: step("run_commands()"), message: "run_commands: give at least one command" },
  { what: "a number in place of a command", image: step("run_commands(1)"), message: "command 1: must be a string" },
  { what: "a requirement that is none", image: step('pip_install("numpy=1.0")'), message: '"numpy=1.0" is not a requirement' },
  { what: "a flag that pip does not have", image: step('pip_install("--frobnicate", "six")'), message: '"--frobnicate" is no flag of pip' },
  {
    what: "an index that is no URL",
    image: step('pip_install("six", index_url="localhost:1/simple")'),
    message: "is not the URL of a package",
  },
  { what: "a Debian package that is none", image: step('apt_install("git curl")'), message: '"git curl" is not the name of a package' },
  { what: "a newline in a working directory", image: step('workdir("/srv\\n")'), message: "holds a control character" },
  { what: "~ in a remote path", image: step('copy_local_file("files/a", "~/a")'), message: "begins with ~" },
  { what: "a local file that is not there", image: step('copy_local_file("files/gone", "/a")'), message: 'there is no "files/gone"' },
  { what: "a file in place of a directory", image: step('copy_local_dir("files/a", "/a")'), message: '"files/a" is not a directory' },
  { what: "a device", image: step('copy_local_file("/dev/null", "/a")'), message: '"/dev/null" is not a file or a directory' },
  { what: "a file that marks a deleted one", image: step('copy_local_dir("marks", "/a")'), message: "begins with .wh." },
  { what: "a name that is not UTF-8", image: step('copy_local_dir("latin", "/a")'), message: "has a name that is not UTF-8" },
  { what: "a link to itself", image: step('copy_local_file("circle/a", "/a")'), message: "is a link that leads to itself" },
  {
    what: "a file that changes while it is read",
    image: step('copy_local_dir("changing", "/a", condition=lambda path: open(path, "a").write("more") > 0)'),
    message: "changed while it was read",
  },
  {
    what: "a condition that fails",
    image: step('copy_local_dir("files", "/a", condition=lambda _: 1 / 0)'),
    message: "the condition failed for",
  },
  { what: "a pattern that is none", image: step('copy_local_dir("files", "/a", ignore=["[a"])'), message: '"[a" is no pattern' },
  {
    what: "a named secret that nobody has set",
    code: "SECRET_MISSING",
    reason: "unknown-secret",
    image: step('run_commands("true", secrets=[Secret.from_name("nobody-has-set-it")])'),
    message: 'There is no secret "nobody-has-set-it"',
  },
  {
    what: "a secret of a variable that is not set",
    code: "SECRET_MISSING",
    image: step('run_commands("true", secrets=[Secret.from_env(["LAMINA_TEST_UNSET"])])'),
    message: "LAMINA_TEST_UNSET",
  },
  {
    what: "a secret that is not declared",
    image: step('pip_install("git+https://${TOKEN}@a.example/b")'),
    message: "${TOKEN} is no variable of a",
  },
  {
    what: "a secret's value in place of its name",
    image: step('run_commands("curl -H hunter2-and-more", secrets=[Secret.from_dict({"TOKEN": "hunter2-and-more"})])'),
    message: "the value of the secret TOKEN is in what is to be built",
  },
  { what: "a pyproject that is none", image: step('poetry_install_from_file("files/a")'), message: '"files/a" is not TOML' },
  { what: "a group that the project does not have", image: poetry("fit", ', groups=["dev"]'), message: 'has no group "dev"' },
  {
    what: "a project that needs files beside it",
    image: poetry("local", ", ignore_lockfile=True"),
    message: 'needs shared from "../shared"',
  },
  { what: "a lock that Poetry did not write", image: poetry("other"), message: "is no lock of Poetry" },
  { what: "a lock of another project", image: poetry("stale"), message: "was not made from" },
  {
    what: "a package for another platform",
    image: step('add_python_packages("wheels/a-1.0-py3-none-win_amd64.whl")'),
    message: '"a-1.0-py3-none-win_amd64.whl"',
  },
  {
    what: "a function that its file does not define",
    image: step('run_function("files/model.py:upload")'),
    message: "upload",
  },
  { what: "a file that is not UTF-8", image: step('run_function("files/latin.py:f")'), message: "is not UTF-8" },
  {
    what: "a GPU that no pool has",
    code: "POOL_UNAVAILABLE",
    image: step('run_commands("true", gpu="T4")'),
    message: 'asks for GPU "T4"',
  },
  { what: "FROM", reason: "from-instruction", image: instructions("FROM debian"), message: "FROM begins another image" },
  {
    what: "COPY of what is not in the context",
    reason: "missing-source",
    image: instructions("COPY b /x", inContext),
    message: 'COPY takes "b", and there is no "b" in the context',
    isSent: true,
  },
  {
    what: "commands where there is no shell",
    image: `Image.from_registry("scratch")\n    .env(A="1")\n    .run_commands("true")  ${MARK}`,
    message: "the image has no /bin/sh",
  },
  {
    what: "RUN where there is no shell",
    reason: "missing-shell",
    image: `Image.from_registry("scratch")\n    .dockerfile_commands(["WORKDIR /x\\nRUN true"])  ${MARK}`,
    message: "command 1, line 2: RUN: the image has no /bin/sh",
  },
];

/** A user's file with a function in that image. */
export function pythonFile({ image }: Pick<BadInputInPython, "image">): string {
  return `import lamina\nfrom lamina import Image, Secret\n\napp = lamina.App("bad-input")\nimage = (\n    ${image}\n)\n\n\n@app.function(image=image)\ndef use() -> None: ...\n`;
}
