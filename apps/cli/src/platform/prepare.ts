/** What the platform is made of, brought into the cache before it first starts. */
import { serverBinaries, uvBinary } from "@lamina/servers";
import { builderVersion, builderVersionNames, LaminaError } from "lamina";

/**
 * Builds the servers and fetches uv where the cache does not have them; minutes the first time, which `say` is told of,
 * and nothing after that. @throws UNREACHABLE when the servers cannot be built
 */
export async function prepare(cache: string, say: (line: string) => void): Promise<void> {
  try {
    await serverBinaries(cache, say);
  } catch (cause) {
    const message = `The servers of the platform could not be built; \`lamina doctor\` says what that takes. ${reasonOf(cause)}`;
    throw new LaminaError({ code: "UNREACHABLE", message }, { cause });
  }
  for (const version of uvVersions()) {
    try {
      await uvBinary({ cache, version });
    } catch (cause) {
      say(
        `uv ${version} could not be fetched, which takes Python 3 with pip; steps that install Python packages will fail. ${reasonOf(cause)}`,
      );
    }
  }
}

function uvVersions(): ReadonlySet<string> {
  return new Set(builderVersionNames().flatMap((name) => builderVersion(name)?.uv ?? []));
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
