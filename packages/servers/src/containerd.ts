import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "./command.ts";
import type { ServerContext } from "./context.ts";
import { isolated, isRoot, type Mount } from "./isolate.ts";
import { supervise, type Supervised } from "./supervise.ts";
import { unixSocket } from "./unix-socket.ts";
import { writeStandIns } from "./user-containers.ts";

const NAME = "containerd";

// Only containers and images are asked of it: no Kubernetes interface, and nothing outside its own directory.
const DISABLED_PLUGINS = [
  "io.containerd.cri.v1.images",
  "io.containerd.cri.v1.runtime",
  "io.containerd.grpc.v1.cri",
  "io.containerd.internal.v1.opt",
  "io.containerd.nri.v1.nri",
  "io.containerd.image-verifier.v1.bindir",
  "io.containerd.snapshotter.v1.blockfile",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.erofs",
  "io.containerd.snapshotter.v1.zfs",
];

// The shims keep their sockets and runc's state at these fixed places, where those of another containerd may be.
const OWN_SHIM_STATE: readonly Mount[] = [
  { type: "tmpfs", target: "/run/containerd/s", mode: "0711" },
  { type: "tmpfs", target: "/run/containerd/runc", mode: "0711" },
];

// Who is not root cannot make them.
const OWN_SHIM_STATE_OF_USER: readonly Mount[] = [{ type: "writable", target: "/run", own: "containerd" }];

/** Where containerd listens, for `ctr --address`. */
export function containerdAddress(directory: string): string {
  return unixSocket(directory, "containerd", "containerd.sock");
}

/** Starts containerd. Containers end with it, since it has its own process name space. */
export async function startContainerd(context: ServerContext): Promise<Supervised> {
  const directory = join(context.directory, "containerd");
  const configuration = join(directory, "containerd.toml");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await rm(containerdAddress(context.directory), { force: true });
  await writeFile(configuration, containerdConfiguration(context.directory), { mode: 0o600 });
  const tools = await containerdTools(context);
  return supervise({
    name: NAME,
    command: [
      ...context.place.enter,
      ...isolated([join(context.binaries, "containerd"), "--config", configuration], isRoot() ? OWN_SHIM_STATE : OWN_SHIM_STATE_OF_USER),
    ],
    directory: context.directory,
    path: [tools, context.binaries],
    stop: { signal: "SIGTERM", graceSeconds: 10, isolated: true },
    isReady: async () => {
      await runCommand(join(context.binaries, "ctr"), ["--address", containerdAddress(context.directory), "version"]);
      return true;
    },
    longestPauseMs: context.longestPauseMs,
    report: context.report,
  });
}

/** The directory of the `ctr` that runs containers. */
export async function containerdTools({ directory, binaries }: Pick<ServerContext, "directory" | "binaries">): Promise<string> {
  return isRoot() ? binaries : writeStandIns({ directory, binaries, server: NAME });
}

function containerdConfiguration(directory: string): string {
  const address = containerdAddress(directory);
  return `
version = 3
root = ${JSON.stringify(join(directory, "containerd", "root"))}
state = ${JSON.stringify(join(directory, "containerd", "state"))}
disabled_plugins = ${JSON.stringify(DISABLED_PLUGINS)}
[grpc]
  address = ${JSON.stringify(address)}
[ttrpc]
  address = ${JSON.stringify(`${address}.ttrpc`)}
`;
}
