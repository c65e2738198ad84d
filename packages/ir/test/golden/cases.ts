/**
 * The golden cases: each is lowered to a Dockerfile that is kept in `vectors/`, and each is built
 * for real once, after which the commands of `look` have to succeed inside the image.
 */
import { projectOf } from "@lamina/testkit/python-project";
import type { LowerRequest, ResolvedStep } from "../../src/index.ts";
import { dockerfileCases } from "./dockerfile-cases.ts";
import { type FixtureTree, directory, fifo, file, fixtureTree, link } from "./fixture-tree.ts";
import { hardValues } from "./hard-values.ts";
import { poetryProject } from "./poetry-project.ts";
import { wheel } from "./wheel.ts";

export interface GoldenCase {
  readonly name: string;
  /** `python`: Debian with Python; `shell`: little more than busybox. */
  readonly base: "python" | "shell";
  readonly user?: string;
  readonly steps: readonly ResolvedStep[];
  readonly trees?: readonly FixtureTree[];
  readonly secrets?: Readonly<Record<string, string>>;
  /** Commands that succeed inside the image. */
  readonly look: readonly string[];
}

/** The digest that stands for the base in the kept Dockerfiles. */
const BASE = `sha256:${"0123456789abcdef".repeat(4)}` as const;

export function requestOf(golden: GoldenCase): LowerRequest {
  const { base, user, steps } = golden;
  return {
    definition: { builderVersion: "2026.11", platform: "linux/amd64", base: { kind: "base", digest: BASE }, steps: [...steps] },
    from: `registry.example/${base}@${BASE}`,
    first: 1,
    last: steps.length,
    ...(user === undefined ? {} : { user }),
  };
}

const project = fixtureTree(
  directory("empty", 0o700),
  directory("src"),
  file("src/main.py", "print('hello')\n"),
  file("run.sh", "#!/bin/sh\n", 0o755),
  file("setuid", "", 0o4755),
  file(".dockerignore", "*\n"),
  file("odd 'name' \"with\" $HOME \\ and é\nnewline", "odd\n"),
  link("current", "src/main.py"),
  link("dangling", "../nowhere"),
  fifo("queue"),
);
const settings = fixtureTree(file(".env.production", "LOG_LEVEL=INFO\n", 0o600));
const wheels = fixtureTree(
  file(wheel.olderFileName, wheel.older),
  file(wheel.newerFileName, wheel.newer),
  file("requirements.txt", "--no-index\n--find-links /project/wheels\nlamina-sample\n"),
);

/** A wheel, a project that needs it, and a directory that is imported as it is. */
const packages = fixtureTree(
  directory("1"),
  file(`1/${wheel.newerFileName}`, wheel.newer),
  directory("2"),
  directory("2/my project"),
  ...Object.entries(
    projectOf({
      module: "lamina_project",
      version: "1.0",
      source: "from lamina_sample import VERSION\n",
      requires: ["lamina-sample==2.0"],
    }),
  ).map(([path, content]) => file(`2/my project/${path}`, content)),
  directory("3"),
  directory("3/my_module", 0o700),
  file("3/my_module/__init__.py", "ANSWER = 42\n", 0o600),
);

export const goldenCases: readonly GoldenCase[] = [
  {
    name: "run-commands",
    base: "shell",
    steps: [
      {
        kind: "runCommands",
        commands: [
          "mkdir -p /opt/lib && cd /opt/lib",
          "export FLAVOUR='dark chocolate'",
          'echo "$FLAVOUR" > flavour # a comment',
          "true \\",
        ],
      },
    ],
    look: ['[ "$(cat /opt/lib/flavour)" = "dark chocolate" ]', '[ -z "${FLAVOUR-}" ]'],
  },
  {
    name: "run-commands-with-secrets",
    base: "shell",
    user: "nobody",
    steps: [{ kind: "runCommands", commands: ['[ "$TOKEN" = "s3cret" ] && id -un > /tmp/who'], secrets: ["TOKEN", "user_name"] }],
    secrets: { TOKEN: "s3cret", user_name: "ada" },
    look: ['[ "$(cat /tmp/who)" = nobody ]', '[ -z "${TOKEN-}${user_name-}" ]'],
  },
  {
    name: "run-commands-on-a-gpu",
    base: "shell",
    steps: [{ kind: "runCommands", commands: ['[ "$LAMINA_TEST_GPU" = 1 ]'], gpu: "A100:2" }],
    look: ['[ -z "${LAMINA_TEST_GPU-}" ]'],
  },
  {
    name: "env",
    base: "shell",
    steps: [
      { kind: "env", variables: hardValues },
      { kind: "env", variables: { LINES: "one\ntwo\n", NEXT: "$LINES" } },
      { kind: "runCommands", commands: ['printf %s "$LINES" > /lines', '[ -z "${LAMINA_NL-}" ]'] },
    ],
    look: ['[ "$(wc -l < /lines)" = 2 ]', "[ \"$NEXT\" = '$LINES' ]", "[ \"$SHELL_WORDS\" = '${UNSET:-x} $HOME `id`' ]"],
  },
  {
    name: "workdir",
    base: "shell",
    steps: [
      { kind: "workdir", path: "/srv/my $app" },
      { kind: "workdir", path: "data/new\nline" },
      { kind: "runCommands", commands: ["pwd > where"] },
    ],
    look: ["[ \"$PWD\" = '/srv/my $app/data/new\nline' ]", '[ "$(cat where)" = "$PWD" ]'],
  },
  {
    name: "copy-directory",
    base: "shell",
    trees: [project],
    steps: [{ kind: "copyLocalDir", tree: project.digest, destination: "/app/it's $here" }],
    look: [
      'cd "/app/it\'s \\$here"',
      '[ "$(stat -c %a empty src/main.py run.sh setuid queue | xargs)" = "700 644 755 4755 644" ]',
      '[ -p queue ] && [ "$(readlink current)" = src/main.py ] && [ "$(readlink dangling)" = ../nowhere ] && [ -f .dockerignore ]',
      "[ \"$(cat 'odd '\\''name'\\'' \"with\" $HOME \\ and é\nnewline')\" = odd ]",
      '[ "$(stat -c %a .)" = 755 ] && [ "$(stat -c %u:%g src/main.py)" = 0:0 ]',
    ],
  },
  {
    name: "copy-file",
    base: "shell",
    trees: [settings],
    steps: [
      { kind: "workdir", path: "/app" },
      { kind: "copyLocalFile", tree: settings.digest, destination: "/app/.env" },
      { kind: "copyLocalFile", tree: settings.digest, destination: "conf/" },
      { kind: "copyLocalFile", tree: settings.digest, destination: "local.env" },
    ],
    look: ['[ "$(stat -c "%n %a" .env conf/.env.production local.env | xargs)" = ".env 600 conf/.env.production 600 local.env 600" ]'],
  },
  {
    name: "apt-install",
    base: "python",
    user: "nobody",
    steps: [
      { kind: "aptInstall", arguments: ["hello", "--no-upgrade"] },
      { kind: "aptInstall", arguments: ["--purge", "hello"] },
      { kind: "aptInstall", arguments: ["tree"] },
    ],
    look: [
      '[ "$(id -un)" = nobody ]',
      "tree --version",
      "! dpkg -s hello 2>/dev/null",
      "! find /var/lib/apt/lists /var/cache/apt -newer /usr/bin/tree -type f | grep .",
      "! find / -xdev -name '*lamina*' | grep .",
    ],
  },
  {
    name: "run-function-of-python",
    base: "python",
    user: "nobody",
    steps: [
      {
        kind: "runFunction",
        language: "python",
        name: "fetch",
        source:
          'import os\n\nasync def fetch(name, *, size):\n    with open("/tmp/fetched", "w") as file:\n        file.write(f"{name} {size} {os.environ[\'TOKEN\'][:1]}")\n',
        args: ["grüße 'LAMINA_FILE'\n"],
        kwargs: { size: 1.5 },
        secrets: ["TOKEN"],
      },
    ],
    secrets: { TOKEN: "s3cret" },
    look: ['[ "$(cat /tmp/fetched)" = "grüße \'LAMINA_FILE\'\n 1.5 s" ]', '[ "$(stat -c %U /tmp/fetched)" = nobody ]'],
  },
  {
    name: "run-function-of-javascript",
    base: "python",
    steps: [
      {
        kind: "runFunction",
        language: "javascript",
        name: "fetch",
        source:
          'async function fetch(name) {\n  const { writeFile } = await import("node:fs/promises");\n  await writeFile("/opt/fetched", `${name} ${process.versions.node.split(".")[0]}`);\n}',
        args: [{ nested: ["a", 1] }],
      },
    ],
    look: ['[ "$(cat /opt/fetched)" = "[object Object] 24" ]', "! command -v node"],
  },
  {
    name: "pip-install",
    base: "python",
    user: "nobody",
    trees: [wheels],
    steps: [
      { kind: "workdir", path: "/project" },
      { kind: "copyLocalDir", tree: wheels.digest, destination: "wheels" },
      { kind: "pipInstall", arguments: ["lamina-sample>=1,<2", "--no-index"], findLinks: "/project/wheels" },
      { kind: "pipInstall", arguments: ["-U", "-r", "wheels/requirements.txt"] },
    ],
    look: [
      "[ \"$(python3 -c 'import lamina_sample; print(lamina_sample.VERSION)')\" = 2.0 ]",
      '[ "$(ls)" = wheels ]',
      "! find / -xdev '(' -name 'uv' -o -name '*lamina-uv*' -o -name 'uv-*.lock' ')' | grep .",
    ],
  },
  {
    name: "pip-install-by-pip",
    base: "python",
    trees: [wheels],
    steps: [
      { kind: "copyLocalDir", tree: wheels.digest, destination: "/wheels" },
      { kind: "pipInstall", arguments: ["--prefer-binary", "--no-index", "--find-links=/wheels", "lamina-sample"], pre: true },
    ],
    look: ["[ \"$(python3 -c 'import lamina_sample; print(lamina_sample.VERSION)')\" = 2.0 ]", "! ls /root/.cache"],
  },
  {
    name: "pip-install-with-secrets",
    base: "python",
    steps: [
      {
        kind: "pipInstall",
        arguments: [
          "--index-url",
          "http://token:${package_token}@${INDEX_HOST}/simple/",
          "--no-deps",
          "lamina-sample",
          "--trusted-host",
          "127.0.0.1",
        ],
        secrets: ["INDEX_HOST", "package_token"],
      },
    ],
    look: ["[ \"$(python3 -c 'import lamina_sample; print(lamina_sample.VERSION)')\" = 2.0 ]"],
  },
  {
    name: "add-python-packages",
    base: "python",
    user: "nobody",
    trees: [packages],
    steps: [
      {
        kind: "addPythonPackages",
        tree: packages.digest,
        packages: [
          { kind: "wheel", name: wheel.newerFileName },
          { kind: "project", name: "my project" },
          { kind: "module", name: "my_module" },
        ],
      },
    ],
    look: [
      "[ \"$(python3 -c 'import lamina_project, my_module; print(lamina_project.VERSION, my_module.ANSWER)')\" = '2.0 42' ]",
      '[ "$(id -un)" = nobody ] && ! ls -d /dev/lamina /dev/shm/lamina-* 2>/dev/null',
      "! find / -xdev '(' -name uv -o -name 'my project' -o -name backend.py ')' | grep .",
    ],
  },
  {
    name: "poetry-install",
    base: "python",
    user: "nobody",
    trees: [poetryProject],
    steps: [{ kind: "poetryInstallFromFile", tree: poetryProject.digest, extras: ["net"], groups: ["docs"] }],
    look: [
      "[ \"$(python3 -c 'import six, idna, mdurl; print(six.__version__)')\" = 1.17.0 ]",
      "! python3 -c 'import iniconfig' 2>/dev/null",
      "! find / -xdev '(' -name uv -o -name '*poetry*' -o -name pyproject.toml -o -name '*lamina*' ')' -not -path '/proc/*' | grep .",
    ],
  },
  ...dockerfileCases,
];
