import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cachePath, exists, makeOnce } from "./cache.ts";
import { runCommand } from "./command.ts";

const BUILDKIT_VERSION = "v0.34.2";
const LINKER_FLAGS = `-s -w -X github.com/moby/buildkit/version.Version=${BUILDKIT_VERSION}`;

/**
 * The directory of the real servers and their clients (buildkitd, buildctl, containerd, its shim, ctr,
 * registry, nats-server, crane), built from `infra/servers` into the cache when they are not there. The
 * first build takes about five minutes on two cores and needs Go; `report` is told of it in a line.
 */
export async function serverBinaries(cache: string, report: (line: string) => void = () => undefined): Promise<string> {
  const path = await binariesPath(cache);
  if (await exists(path)) return path;
  report("Building BuildKit, containerd, the registry and NATS from source (about 5 minutes, once)");
  return makeOnce(path, async (temporary) => {
    await runCommand("go", ["install", "-ldflags", LINKER_FLAGS, "tool"], {
      directory: sourcesDirectory(),
      environment: { GOBIN: temporary, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly" },
    });
  });
}

/** Where they lie in the cache, or will. */
export async function binariesPath(cache: string): Promise<string> {
  const sources = sourcesDirectory();
  return cachePath(cache, "servers", [
    await readFile(join(sources, "go.mod"), "utf8"),
    await readFile(join(sources, "go.sum"), "utf8"),
    LINKER_FLAGS,
    process.arch,
  ]);
}

/** `infra/servers` of this checkout, found from wherever this module was put. */
function sourcesDirectory(): string {
  for (let directory = import.meta.dirname; directory !== dirname(directory); directory = dirname(directory)) {
    const candidate = join(directory, "infra", "servers");
    if (existsSync(join(candidate, "go.mod"))) return candidate;
  }
  throw new Error(`infra/servers/go.mod was not found above ${import.meta.dirname}; the servers are built from the checkout.`);
}
