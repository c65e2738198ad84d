/** The directories behind the named contexts of a Dockerfile. */
import { access } from "node:fs/promises";
import { join } from "node:path";
import { type AttemptProgress, type ClaimedAttempt, LaminaError } from "@lamina/api";
import type { Digest, LoweredContext } from "@lamina/ir";
import type { Registry } from "@lamina/registry";
import { type TreeDirectories } from "@lamina/service";
import type { LocalDirectory } from "../buildkit/buildkit.ts";
import { nodeDirectory } from "./node.ts";
import { stageContext, type TreeContext } from "./stage.ts";

/** The local files of a step could not be put in their place; its cause says why. */
export class UnstagedTreeError extends Error {
  override readonly name = "UnstagedTreeError";
  readonly tree: Digest;

  constructor(tree: Digest, cause: unknown) {
    super(`tree ${tree} could not be staged`, { cause });
    this.tree = tree;
  }
}

export interface PrepareOptions {
  readonly claimed: ClaimedAttempt;
  readonly registry: Registry;
  /** The directory that has `uv-<version>/uv`. */
  readonly uv: string;
  /** A directory of this process alone. */
  readonly state: string;
  readonly directories: TreeDirectories;
  readonly emit: (event: AttemptProgress) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * @returns the directory of each context, by its name; what is staged goes back with `owned`
 * @throws {UnstagedTreeError} for the first tree that cannot be staged
 */
export async function prepareContexts(
  contexts: readonly LoweredContext[],
  options: PrepareOptions,
  owned: AsyncDisposableStack,
): Promise<Map<string, LocalDirectory>> {
  const { claimed, registry, directories, emit, signal } = options;
  const prepared = new Map<string, LocalDirectory>();
  const trees: TreeContext[] = [];
  for (const context of contexts) {
    if (context.kind === "uv") prepared.set(context.name, { name: context.name, path: await uvDirectory(options.uv, context.version) });
    else if (context.kind === "node")
      prepared.set(context.name, { name: context.name, path: await nodeDirectory(options.state, context.version) });
    else trees.push(context);
  }
  if (trees.length === 0) return prepared;
  await emit({ type: "preparing", at: Date.now(), what: "fetching local files" });
  const repository = ({ repository: name }: { repository: string }) => registry.repository(name);
  for (const context of trees) {
    const staging = stageContext(context, { directories, trees: claimed.trees, repository, signal });
    const staged = owned.use(
      await staging.catch((error: unknown) => {
        throw new UnstagedTreeError(context.tree, error);
      }),
    );
    prepared.set(context.name, { name: staged.name, path: staged.directory });
  }
  return prepared;
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
