import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { cachedBase } from "./base-image.ts";
import { serverBinaries } from "./binaries.ts";
import { runCommand } from "./command.ts";

export interface BaseRequest {
  /** Major and minor, as in `3.13`. */
  readonly python: string;
  /** Where the base is pushed to: host/repository:tag. */
  readonly target: string;
  readonly credentials: { readonly user: string; readonly password: string };
  readonly cache: string;
  /** Told what is being done, a line at a time. */
  readonly report: (line: string) => void;
}

const indexSchema = z.object({ manifests: z.tuple([z.object({ digest: z.string() })]) });

/**
 * Pushes the Debian base with that Python, made from a Debian mirror when the cache has none, and returns
 * its reference by digest (host/repository@sha256:…). What the registry has is not sent again.
 */
export async function publishBase(request: BaseRequest): Promise<string> {
  const [layout, binaries] = await Promise.all([cachedBase(request), serverBinaries(request.cache)]);
  const index = indexSchema.parse(JSON.parse(await readFile(join(layout, "index.json"), "utf8")));
  request.report(`Pushing the base with Python ${request.python} to ${request.target}`);
  await withDockerConfig(request, (directory) =>
    runCommand(join(binaries, "crane"), ["push", layout, request.target], { environment: { DOCKER_CONFIG: directory } }),
  );
  return `${repositoryOf(request.target)}@${index.manifests[0].digest}`;
}

/** Credentials go by a file that only this user reads: arguments are seen by everybody. */
async function withDockerConfig(request: BaseRequest, use: (directory: string) => Promise<unknown>): Promise<void> {
  const { user, password } = request.credentials;
  const host = request.target.slice(0, request.target.indexOf("/"));
  const auth = Buffer.from(`${user}:${password}`).toString("base64");
  const directory = await mkdtemp(join(tmpdir(), "lamina-docker-config-"));
  try {
    await writeFile(join(directory, "config.json"), JSON.stringify({ auths: { [host]: { auth } } }), { mode: 0o600 });
    await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function repositoryOf(target: string): string {
  const tag = target.lastIndexOf(":");
  return tag > target.lastIndexOf("/") ? target.slice(0, tag) : target;
}
