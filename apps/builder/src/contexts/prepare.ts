/** The directories behind the named contexts of a Dockerfile. */
import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type AttemptProgress, type ClaimedAttempt, LaminaError } from "@lamina/api";
import type { LoweredContext } from "@lamina/ir";
import type { Registry } from "@lamina/registry";
import { stageContexts, type TreeContext } from "./stage.ts";

export interface PrepareOptions {
  readonly claimed: ClaimedAttempt;
  readonly registry: Registry;
  /** The directory that has `uv-<version>/uv`. */
  readonly uv: string;
  /** An empty directory. */
  readonly directory: string;
  readonly emit: (event: AttemptProgress) => Promise<void>;
  readonly signal: AbortSignal;
}

/** @returns the directory of each context, by its name */
export async function prepareContexts(contexts: readonly LoweredContext[], options: PrepareOptions): Promise<Map<string, string>> {
  const { claimed, registry, directory, emit, signal } = options;
  const prepared = new Map<string, string>();
  const trees: TreeContext[] = [];
  for (const context of contexts) {
    if (context.kind === "uv") prepared.set(context.name, await uvDirectory(options.uv, context.version));
    else trees.push(context);
  }
  if (trees.length === 0) return prepared;
  await emit({ type: "preparing", at: Date.now(), what: "fetching local files" });
  const staging = join(directory, "contexts");
  await mkdir(staging);
  const repository = ({ repository: name }: { repository: string }) => registry.repository(name);
  const staged = await stageContexts(trees, { directory: staging, trees: claimed.trees, repository, signal });
  return new Map([...prepared, ...staged]);
}

async function uvDirectory(uv: string, version: string): Promise<string> {
  const directory = join(uv, `uv-${version}`);
  try {
    await access(join(directory, "uv"));
    return directory;
  } catch (cause) {
    const message = `This builder has no uv ${version} (looked in ${directory}). Put it there, or update Lamina.`;
    throw new LaminaError({ code: "BUILD_FAILED", message }, { cause });
  }
}
