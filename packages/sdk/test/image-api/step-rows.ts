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
