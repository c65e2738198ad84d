/**
 * What containerd takes to run containers for a user who is not root. containerd is root of a user name space then, in
 * which neither the client's mounts nor the containers that it describes are as they are for root. So both programs
 * that matter get a stand-in of the same name.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { serverFile } from "./pid-file.ts";

export interface UserContainers {
  /** That of the servers; the record of containerd's process is in it. */
  readonly directory: string;
  /** Where the real `ctr` is. */
  readonly binaries: string;
  /** The name under which containerd is supervised. */
  readonly server: string;
}

/** Writes `runc`, for containerd, `ctr` and `enter`, for whoever runs containers, and returns the directory that they are in. */
export async function writeStandIns({ directory, binaries, server }: UserContainers): Promise<string> {
  const tools = join(directory, "containerd", "tools");
  await mkdir(tools, { recursive: true, mode: 0o700 });
  await writeProgram(join(tools, "runc"), runcStandIn());
  await writeProgram(join(tools, "ctr"), ctrStandIn(join(binaries, "ctr"), serverFile(directory, server)));
  await writeProgram(join(tools, "enter"), enterStandIn(serverFile(directory, server)));
  return tools;
}

/**
 * A container gets no control groups, which are root's, and sees the machine's /sys, read-only, instead of one of its
 * own, which takes a network of its own. To kill all of its processes, which are found by the control group, only the
 * first is killed: the others end with it. The real runc is further on in PATH.
 */
function runcStandIn(): string {
  const script = `
const { readFileSync, writeFileSync } = require("node:fs");
const file = process.argv[1] + "/config.json";
const spec = JSON.parse(readFileSync(file, "utf8"));
const readOnly = { type: "bind", source: "/sys", options: ["rbind", "nosuid", "noexec", "nodev", "ro"] };
spec.mounts = spec.mounts.map((mount) => (mount.type === "sysfs" ? { ...mount, ...readOnly } : mount));
delete spec.linux.cgroupsPath;
delete spec.linux.resources;
writeFileSync(file, JSON.stringify(spec));`;
  return `
previous=
for argument in "$@"; do
  shift
  if [ "$argument" = --all ]; then continue; fi
  if [ "$previous" = --bundle ]; then ${quote(process.execPath)} -e ${quote(script)} "$argument" || exit; fi
  previous=$argument
  set -- "$@" "$argument"
done
PATH=\${PATH#*:} exec runc "$@"
`;
}

/**
 * A client mounts an image to look up its users, so it has to be where containerd is: in the name spaces of the first
 * child of the process on record. It ends with its caller, as the real one does.
 */
function ctrStandIn(ctr: string, record: string): string {
  return `${findInit("ctr", record)}
exec nsenter --target "$init" --user --mount --pid --preserve-credentials -- setpriv --pdeathsig KILL ${quote(ctr)} "$@"
`;
}

/** Runs a command where the files of images are as containerd has them; unlike `ctr` it does not end with containerd. */
function enterStandIn(record: string): string {
  return `${findInit("enter", record)}
exec nsenter --target "$init" --user --mount --preserve-credentials -- "$@"
`;
}

function findInit(program: string, record: string): string {
  return `
process=$(sed 's/.*"pid":\\([0-9]*\\).*/\\1/' ${quote(record)}) && init=$(cut -d' ' -f1 "/proc/$process/task/$process/children") &&
  [ "$init" ] || { echo '${program}: containerd does not run' >&2; exit 1; }`;
}

async function writeProgram(path: string, script: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${script.trimStart()}`, { mode: 0o700 });
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
