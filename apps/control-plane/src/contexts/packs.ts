import { LaminaError, type PackReceipt } from "@lamina/api";
import { Digest } from "@lamina/ir";
import { isRegistryError } from "@lamina/registry";
import type { Context } from "../context.ts";
import { type Database, overOutages } from "../database/database.ts";
import { type PackedFile, verifiedPack } from "./verify-pack.ts";

type PacksContext = Pick<Context, "database" | "registries" | "repositories">;

/** Takes packs of local files. */
export interface Packs {
  /** Streams a pack into the registry while it is checked. @throws {LaminaError} CONTEXT_CORRUPT, REGISTRY_UNAVAILABLE */
  take(workspace: string, source: AsyncIterable<Uint8Array>): Promise<PackReceipt>;
}

export function createPacks({ database, registries, repositories }: PacksContext): Packs {
  return {
    async take(workspace, source) {
      const repository = registries.platform.repository(repositories.contexts(workspace));
      const { stream, files } = verifiedPack(source);
      const { digest, size } = await repository.putBlob({ stream }).catch((error: unknown) => {
        throw unwrapped(error);
      });
      await keepFiles(database, { workspace, digest, size }, files);
      return { digest: Digest.parse(digest), files: files.length, bytes: size };
    },
  };
}

interface StoredPack {
  readonly workspace: string;
  readonly digest: string;
  readonly size: number;
}

/** A file that another pack brought as well is read from the newer one, which is sure to be there. */
async function keepFiles(database: Database, { workspace, digest, size }: StoredPack, files: readonly PackedFile[]): Promise<void> {
  const digests = files.map((file) => file.digest);
  const sizes = files.map((file) => file.size);
  const insertPack = database.$executeRaw`
    INSERT INTO pack (workspace, digest, size) VALUES (${workspace}, ${digest}, ${size}) ON CONFLICT DO NOTHING`;
  const insertFiles = database.$executeRaw`
    INSERT INTO packed_file (workspace, digest, size, pack)
    SELECT DISTINCT ON (file.digest) ${workspace}, file.digest, file.size, ${digest}
    FROM unnest(${digests}::text[], ${sizes}::bigint[]) AS file (digest, size)
    ORDER BY file.digest
    ON CONFLICT (workspace, digest) DO UPDATE SET pack = excluded.pack`;
  await overOutages(() => database.$transaction([insertPack, insertFiles]));
}

/** What stopped the pack, rather than the upload that it stopped. */
function unwrapped(error: unknown): unknown {
  if (error instanceof LaminaError) return error;
  if (!isRegistryError(error)) return error;
  if (error.cause instanceof LaminaError) return error.cause;
  const message = `The pack could not be stored: ${error.message}. Check that the registry runs and has disk.`;
  return new LaminaError({ code: "REGISTRY_UNAVAILABLE", message }, { cause: error });
}
