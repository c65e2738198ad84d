import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "./command.ts";
import type { ServerContext } from "./context.ts";
import { GPU_KIND } from "./gpus.ts";
import { isolated } from "./isolate.ts";
import { unixSocket } from "./unix-socket.ts";
import { supervise, type Supervised } from "./supervise.ts";

/** Where BuildKit listens, for `buildctl --addr`. */
export function buildkitAddress(directory: string): string {
  return `unix://${socket(directory)}`;
}

/**
 * Starts buildkitd with the OCI worker, which pushes to and pulls from `registry` (and any other). GPUs are looked up
 * in the machine's CDI directories and in `<directory>/cdi`.
 */
export async function startBuildkit(context: ServerContext, registry: URL): Promise<Supervised> {
  const directory = join(context.directory, "buildkit");
  const configuration = join(directory, "buildkitd.toml");
  const root = join(directory, "root");
  await mkdir(root, { recursive: true, mode: 0o700 });
  await mkdir(cdiDirectory(context.directory), { recursive: true });
  await rm(socket(context.directory), { force: true });
  const temporary = join(directory, "tmp");
  const runtime = join(directory, "run");
  for (const emptied of [temporary, runtime]) {
    await rm(emptied, { recursive: true, force: true });
    await mkdir(emptied, { mode: 0o700 });
  }
  await writeFile(configuration, buildkitConfiguration(context.directory, root, registry), { mode: 0o600 });
  return supervise({
    name: "buildkitd",
    // BuildKit writes the environment of each running step, secrets included, into the executor's directory: it is in memory only.
    command: [
      ...context.place.enter,
      ...isolated(
        [join(context.binaries, "buildkitd"), "--config", configuration],
        [{ type: "tmpfs", target: join(root, "runc-overlayfs", "executor"), mode: "0711" }],
      ),
    ],
    directory: context.directory,
    path: [context.binaries],
    environment: {
      // It leaves the empty points of its mounts behind.
      TMPDIR: temporary,
      // Where runc keeps what it keeps in /run for root.
      XDG_RUNTIME_DIR: runtime,
      // By default it drops the output of a step beyond 2 MiB, or faster than 200 KiB/s.
      BUILDKIT_STEP_LOG_MAX_SIZE: "-1",
      BUILDKIT_STEP_LOG_MAX_SPEED: "-1",
    },
    stop: { signal: "SIGTERM", graceSeconds: 15, isolated: true },
    isReady: async () => {
      await runCommand(join(context.binaries, "buildctl"), ["--addr", buildkitAddress(context.directory), "debug", "workers"]);
      return true;
    },
    longestPauseMs: context.longestPauseMs,
    report: context.report,
  });
}

function buildkitConfiguration(directory: string, root: string, registry: URL): string {
  const specDirectories = cdiDirectories(directory);
  return `
root = ${JSON.stringify(root)}
[grpc]
  address = [${JSON.stringify(buildkitAddress(directory))}]
[worker.oci]
  enabled = true
  snapshotter = "overlayfs"
  networkMode = "host"
[worker.containerd]
  enabled = false
# No records of solves: each has all output of the steps, in which one may have printed a secret.
[history]
  maxEntries = 0
[otel]
  socketPath = ${JSON.stringify(join(directory, "buildkit", "otel.sock"))}
[cdi]
  specDirs = ${JSON.stringify(specDirectories)}
  autoAllowed = [${JSON.stringify(GPU_KIND)}]
[registry.${JSON.stringify(registry.host)}]
  http = ${registry.protocol === "http:"}
`;
}

/** BuildKit watches it, so it has to be there when BuildKit starts. */
/** Where GPUs are described: for the whole machine, and for these servers alone. */
export function cdiDirectories(directory: string): readonly string[] {
  return ["/etc/cdi", "/var/run/cdi", cdiDirectory(directory)];
}

function cdiDirectory(directory: string): string {
  return join(directory, "cdi");
}

function socket(directory: string): string {
  return unixSocket(directory, "buildkit", "buildkitd.sock");
}
