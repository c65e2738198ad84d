import { createHash } from "node:crypto";
import { join } from "node:path";
import { DEFAULT_BUILDER_VERSION } from "@lamina/ir";
import { Image, Secret } from "lamina";
import type { Group, Row, Surroundings } from "./rows.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const python = (code: string) => `python -c '${code}'`;
const version = (module: string) => python(`import ${module}; print(${module}.VERSION)`);
const HASH_OF = (variable: string, file: string) => `printf %s "$${variable}" | sha256sum | cut -c 1-64 > ${file}`;
/** For apt, a command that it runs beside dpkg. */
const hook = (command: string) => ["-o", `DPkg::Post-Invoke::=${command}`];

export function groupsOf(surroundings: Surroundings): Group[] {
  const debian = () => Image.debianSlim({ pythonVersion: "3.11", builderVersion: DEFAULT_BUILDER_VERSION });
  return [
    { base: Image.debianSlim(), rows: [defaultPython] },
    { base: Image.fromRegistry(surroundings.tiny), rows: [...baseRows, ...copyRows(surroundings)] },
    { base: debian(), rows: [...pythonRows, ...commandRows, ...pipRows(surroundings), ...aptRows] },
    { base: debian(), rows: gpuRows(surroundings) },
    ...forcedRows(surroundings).map((rows) => ({ base: debian().runCommands("mkdir /looks"), rows })),
  ];
}

const defaultPython: Row = {
  method: "debianSlim",
  what: "that the builder version's Python and its pip are there by their bare names",
  look: `${python("import sys; print(sys.version_info[:2])")}; pip --version | grep -o "python 3.13"`,
  expected: "(3, 13)\npython 3.13",
};

const baseRows: readonly Row[] = [
  {
    method: "fromRegistry",
    what: "that it is that image: a shell, and no Python",
    look: "command -v sh; command -v python3",
    expected: "/usr/bin/sh",
  },
];

const pythonRows: readonly Row[] = [
  {
    method: "debianSlim",
    option: "pythonVersion",
    what: "the version of python",
    look: python("import sys; print(sys.version_info[:2])"),
    expected: "(3, 11)",
  },
  {
    method: "debianSlim",
    option: "builderVersion",
    what: "that packages are installed by uv, and byte code names the hash of its source, as that version has it",
    look: python(
      'import importlib.metadata as m, importlib.util as u, plain; print(m.distribution("plain").read_text("INSTALLER"), open(u.cache_from_source(plain.__file__), "rb").read()[4])',
    ),
    expected: "uv 3",
  },
];

/** In an image whose programs are those of {@link Surroundings.tiny}. */
function copyRows({ files }: Surroundings): Row[] {
  const local = (name: string) => join(files, name);
  return [
    {
      method: "workdir",
      what: "the directory in which a command starts",
      add: (image) => image.workdir("/srv").workdir("app"),
      look: 'echo "$PWD"',
      expected: "/srv/app",
    },
    {
      method: "env",
      what: "values, exactly as given",
      add: (image) => image.env({ HARD: "a $HOME ${X:-y} \"'\\ #\n é", EMPTY: "" }),
      look: 'printf %s "[$HARD][${EMPTY-unset}]"',
      expected: "[a $HOME ${X:-y} \"'\\ #\n é][]",
    },
    {
      method: "copyLocalFile",
      what: "content, at the remote path",
      add: (image) => image.copyLocalFile(local("one.txt"), "/data/renamed.txt"),
      look: "cat /data/renamed.txt",
      expected: "one",
    },
    {
      method: "copyLocalFile",
      what: "its own name, in a remote path that ends in /",
      add: (image) => image.copyLocalFile(local("run.sh"), "/data/bin/"),
      look: "/data/bin/run.sh",
      expected: "it runs",
    },
    {
      method: "copyLocalFile",
      what: "the same place under the working directory, without a remote path",
      add: (image) => image.copyLocalFile("package.json"),
      look: 'test -r "$PWD/package.json" && echo there',
      expected: "there",
    },
    {
      method: "copyLocalFile",
      what: "all that is in it, of a directory",
      add: (image) => image.copyLocalFile(local("tree"), "/as-file"),
      look: "cat /as-file/deep/two.txt",
      expected: "two",
    },
    {
      method: "copyLocalDir",
      what: "files, empty directories, links as they are, and odd names",
      add: (image) => image.copyLocalDir(local("tree"), "/tree"),
      look: `cat "/tree/it's \\$5 é.txt" /tree/deep/two.txt; test -d /tree/empty && echo empty; test -L /tree/out && ! test -e /tree/out && echo link`,
      expected: "odd\ntwo\nempty\nlink",
    },
    {
      method: "copyLocalDir",
      what: "that what its .dockerignore names is not there",
      add: (image) => image.copyLocalDir(local("ignoring"), "/ignoring"),
      look: "cd /ignoring && echo * .*",
      expected: "kept.log src . .. .dockerignore",
    },
    {
      method: "copyLocalDir",
      option: "ignore",
      what: "that what the patterns name is not there, and an exception is",
      add: (image) => image.copyLocalDir(local("ignoring"), "/patterns", { ignore: ["src/*", "!src/a.py", "!a.log"] }),
      look: "cd /patterns && echo * src/*",
      expected: "a.log kept.log src src/a.py",
    },
    {
      method: "copyLocalDir",
      option: "condition",
      what: "that what it turns down is not there",
      add: (image) => image.copyLocalDir(local("ignoring"), "/condition", { condition: (path) => path.endsWith(".py") }),
      look: "cd /condition && echo * src/*",
      expected: "src src/a.py src/b.py",
    },
  ];
}

const secret = Secret.fromDict({ LOOK_TOKEN: "0123456789-of-the-table" });
const HASH_OF_TOKEN = sha256("0123456789-of-the-table");

const commandRows: readonly Row[] = [
  {
    method: "runCommands",
    what: "what the commands did, in one shell: cd and export hold",
    add: (image) => image.runCommands("mkdir /looks && cd /looks && export A=1", "echo $PWD $A > state"),
    look: "cat /looks/state",
    expected: "/looks 1",
  },
  {
    method: "runCommands",
    option: "secrets",
    what: "that the step saw the value, and nothing has it afterwards",
    add: (image) => image.runCommands(HASH_OF("LOOK_TOKEN", "/looks/secret"), { secrets: [secret] }),
    look: 'cat /looks/secret; echo "[$LOOK_TOKEN]"; grep -rl 0123456789-of-the-table /looks /etc /root /tmp',
    expected: `${HASH_OF_TOKEN}\n[]`,
  },
];

function pipRows({ files, index, otherIndex, indexWithSecret, token }: Surroundings): Row[] {
  const indexUrl = index;
  return [
    {
      method: "pipInstall",
      what: "the versions that were asked for, and what they depend on",
      add: (image) => image.pipInstall("plain<2", { indexUrl }),
      look: `${version("plain")}; ${version("needed")}; command -v uv`,
      expected: "1.0\n1.0",
    },
    {
      method: "pipInstall",
      what: "flags among the packages, and files of the image that they name",
      add: (image) =>
        image
          .workdir("/project")
          .copyLocalFile(join(files, "requirements.txt"), "requirements.txt")
          .pipInstall("--no-deps", "-r", "requirements.txt", { indexUrl }),
      look: `${version("flagged")}; ${python("import not_needed")} 2>&1 | tail -1`,
      expected: "1.0\nModuleNotFoundError: No module named 'not_needed'",
    },
    {
      method: "pipInstall",
      option: "findLinks",
      what: "a package from a directory of the image",
      add: (image) => image.copyLocalDir(join(files, "wheels"), "/wheels").pipInstall("linked", "--no-index", { findLinks: "/wheels" }),
      look: version("linked"),
      expected: "1.0",
    },
    { method: "pipInstall", option: "indexUrl", what: "a package that only that index has", look: version("plain"), expected: "1.0" },
    {
      method: "pipInstall",
      option: "extraIndexUrl",
      what: "a package that only the second index has",
      add: (image) => image.pipInstall("elsewhere", { indexUrl, extraIndexUrl: otherIndex }),
      look: version("elsewhere"),
      expected: "1.0",
    },
    {
      method: "pipInstall",
      option: "pre",
      what: "the version before the release",
      add: (image) => image.pipInstall("early", { indexUrl, pre: true }),
      look: version("early"),
      expected: "2.0rc1",
    },
    {
      method: "pipInstall",
      option: "secrets",
      what: "a package from an index that asks for the secret, which nothing has afterwards",
      add: (image) => image.pipInstall("private", { indexUrl: indexWithSecret, secrets: [Secret.fromDict({ INDEX_TOKEN: token })] }),
      look: `${version("private")}; echo "[$INDEX_TOKEN]"; grep -rl ${token} /usr/local /root /tmp /etc /project`,
      expected: "1.0\n[]",
    },
  ];
}

const aptRows: readonly Row[] = [
  {
    method: "aptInstall",
    what: "that programs run, and no lists or archives are left",
    add: (image) => image.aptInstall("hello", "tree"),
    look: "hello; ls /var/lib/apt/lists | grep -c Packages; ls /var/cache/apt/archives | grep -c '[.]deb'",
    expected: "Hello, world!\n0\n0",
  },
  {
    method: "aptInstall",
    what: "flags among the packages: what was purged is gone",
    add: (image) => image.aptInstall("--purge", "tree", ...hook(HASH_OF("LOOK_TOKEN", "/looks/apt-secret")), { secrets: [secret] }),
    look: "command -v tree || echo gone",
    expected: "gone",
  },
  {
    method: "aptInstall",
    option: "secrets",
    what: "that what apt runs saw the value, and nothing has it afterwards",
    look: 'cat /looks/apt-secret; echo "[$LOOK_TOKEN]"',
    expected: `${HASH_OF_TOKEN}\n[]`,
  },
];

/** On a builder whose GPU is a device in name, which sets LAMINA_TEST_GPU. */
function gpuRows({ index }: Surroundings): Row[] {
  const pth = 'import os; g = os.environ.get("LAMINA_TEST_GPU"); g and open("/looks/pip", "w").write(g)';
  return [
    {
      method: "runCommands",
      option: "gpu",
      what: "that the step saw the device, and the next one did not",
      add: (image) =>
        image
          .runCommands("mkdir /looks && cd $(python -c 'import site; print(site.getsitepackages()[0])')", `echo '${pth}' > looks.pth`)
          .runCommands('echo "[$LAMINA_TEST_GPU]" > /looks/run', { gpu: "T4" })
          .runCommands('echo "[$LAMINA_TEST_GPU]" > /looks/next'),
      look: "cat /looks/run /looks/next",
      expected: "[1]\n[]",
    },
    {
      method: "pipInstall",
      option: "gpu",
      what: "that the step saw the device",
      add: (image) => image.pipInstall("plain", { indexUrl: index, gpu: "T4" }),
      look: "cat /looks/pip",
      expected: "1",
    },
    {
      method: "aptInstall",
      option: "gpu",
      what: "that the step saw the device",
      add: (image) => image.aptInstall("hello", ...hook('echo "[$LAMINA_TEST_GPU]" > /looks/apt'), { gpu: "any" }),
      look: "cat /looks/apt",
      expected: "[1]",
    },
  ];
}

/** Each in an image of its own: what is forced makes all after it anew. */
function forcedRows({ index }: Surroundings): Row[][] {
  const kept = (method: string): Row => ({
    method,
    option: "forceBuild",
    what: "that what is before it was not made anew",
    add: (image) => image.runCommands("cat /proc/sys/kernel/random/uuid > /looks/kept"),
    look: "cat /looks/kept",
    expected: { afterSecondBuild: "same" },
  });
  const anew = (method: string, add: (image: Image) => Image, look: string): Row => ({
    method,
    option: "forceBuild",
    what: "that it was made anew, though nothing has changed",
    add,
    look,
    expected: { afterSecondBuild: "other" },
  });
  const forced = { forceBuild: true };
  const installed = 'find / -xdev -path "*/plain-*.dist-info/INSTALLER" -exec stat -c %y {} +';
  return [
    [
      kept("runCommands"),
      anew("runCommands", (image) => image.runCommands("cat /proc/sys/kernel/random/uuid > /looks/new", forced), "cat /looks/new"),
    ],
    [kept("pipInstall"), anew("pipInstall", (image) => image.pipInstall("plain", { indexUrl: index, ...forced }), installed)],
    [kept("aptInstall"), anew("aptInstall", (image) => image.aptInstall("hello", forced), "stat -c %y /var/lib/dpkg/info/hello.list")],
  ];
}
