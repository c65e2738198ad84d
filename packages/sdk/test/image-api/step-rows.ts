import { join } from "node:path";
import { hashOfSecret, hook, secret, secretSeen } from "./shared.ts";
import type { Row, Surroundings } from "./rows.ts";

export const commandRows: readonly Row[] = [
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
    add: (image) => image.runCommands(hashOfSecret("/looks/secret"), { secrets: [secret] }),
    look: secretSeen.look("/looks/secret"),
    expected: secretSeen.expected,
  },
];

const made = async (name: string) => {
  // What tests are run by rewrites imports.
  const { writeFile } = process.getBuiltinModule("node:fs/promises");
  await writeFile(`/looks/${name}`, `${process.cwd()} ${process.env["NODE_OPTIONS"] ?? ""}\n`);
};

/** In an image with the C library of Debian. */
export const scriptRow: Row = {
  method: "runFunction",
  option: "args",
  what: "what a function of JavaScript wrote",
  add: (image) => image.runFunction(made, { args: ["made"] }),
  look: "cat /looks/made; command -v node || echo no node",
  expected: "/ \nno node",
};

/** In an image with Python. */
export function functionRows({ files }: Surroundings): Row[] {
  return [
    scriptRow,
    {
      method: "runFunction",
      what: "what a function of Python wrote, and nothing else",
      add: (image) => image.runFunction(`${join(files, "functions.py")}:download`, { args: ["model"] }),
      look: "cat /looks/model; find / -xdev -name '*lamina*' | grep -v '^/proc' | head -1",
      expected: "weights",
    },
    {
      method: "runFunction",
      option: "secrets",
      what: "that the function saw the value, and nothing has it afterwards",
      add: (image) => image.runFunction(`${join(files, "functions.py")}:hash_secret`, { secrets: [secret] }),
      look: secretSeen.look("/looks/function-secret"),
      expected: secretSeen.expected,
    },
  ];
}

export const FUNCTIONS = `import hashlib, os

WEIGHTS = "weights"

def download(name):
    with open(f"/looks/{name}", "w") as file:
        file.write(WEIGHTS)

async def hash_secret():
    with open("/looks/function-secret", "w") as file:
        file.write(hashlib.sha256(os.environ["LOOK_TOKEN"].encode()).hexdigest() + "\\n")
`;

/** What {@link aptRows} stand on. */
export const toolsRow: Row = {
  method: "aptInstall",
  what: "the programs of two packages",
  add: (image) => image.aptInstall("hello", "tree"),
  look: "command -v hello",
  expected: "/usr/bin/hello",
};

/** In an image that has installed hello and tree. */
export const aptRows: readonly Row[] = [
  {
    method: "aptInstall",
    what: "that programs run, and no lists or archives are left",
    look: "hello; ls /var/lib/apt/lists | grep -c Packages; ls /var/cache/apt/archives | grep -c '[.]deb'",
    expected: "Hello, world!\n0\n0",
  },
  {
    method: "aptInstall",
    what: "flags among the packages: what was purged is gone",
    add: (image) => image.aptInstall("--purge", "tree", ...hook(hashOfSecret("/looks/apt-secret")), { secrets: [secret] }),
    look: "command -v tree || echo gone",
    expected: "gone",
  },
  {
    method: "aptInstall",
    option: "secrets",
    what: "that what apt runs saw the value, and nothing has it afterwards",
    look: secretSeen.look("/looks/apt-secret"),
    expected: secretSeen.expected,
  },
];

/** In an image with a shell and little else. */
export function instructionRows({ files }: Surroundings): Row[] {
  return [
    {
      method: "dockerfileCommands",
      what: "what the instructions did: a command, a variable, a directory",
      add: (image) => image.dockerfileCommands(["ENV FROM_FILE='one two'", "WORKDIR /from", 'RUN echo "$FROM_FILE" >ran']),
      look: 'cat /from/ran; echo "$FROM_FILE"',
      expected: "one two\none two",
    },
    {
      method: "dockerfileCommands",
      option: "contextFiles",
      what: "local files that a COPY names, under the names that they were given",
      add: (image) =>
        image.dockerfileCommands(["COPY text/* /context/"], {
          contextFiles: { "text/a": join(files, "one.txt"), "text/b": join(files, "requirements.txt") },
        }),
      look: "cat /context/a /context/b",
      expected: "oneflagged==1.0",
    },
  ];
}

/** In an image with the tools of Debian. */
export const instructionSecretRows: readonly Row[] = [
  {
    method: "dockerfileCommands",
    option: "secrets",
    what: "that the step saw the value, and nothing has it afterwards",
    add: (image) => image.dockerfileCommands([`RUN ${hashOfSecret("/looks/instruction-secret")}`], { secrets: [secret] }),
    look: secretSeen.look("/looks/instruction-secret"),
    expected: secretSeen.expected,
  },
];

/** In an image that knows the user ada; the last one of all that change something. */
export const otherUserRow: Row = {
  method: "dockerfileCommands",
  what: "whose the process is, and a heredoc for the shell that it names",
  add: (image) => image.dockerfileCommands(["RUN chown ada /looks\nUSER ada\nRUN <<EOF\n#!/bin/sh -e\nid -un > /looks/user\nEOF"]),
  look: "cat /looks/user; id -un",
  expected: "ada\nada",
};
