/** Trees: manifests in the registry that name the entries, and the packs that hold the files. */
import { LaminaError, PACK_MEDIA_TYPE, TREE_ARTIFACT_TYPE, TREE_ENTRIES_MEDIA_TYPE } from "@lamina/api";
import { canonicalJson, Digest, sortEntries, treeDigest, type TreeEntry } from "@lamina/ir";
import { encodeManifest, isRegistryError, mediaTypes, type Repository } from "@lamina/registry";
import type { Context } from "../context.ts";
import { type Database, overOutages } from "../database/database.ts";
import { checkEntries } from "./check-entries.ts";

type TreesContext = Pick<Context, "database" | "registries" | "repositories">;

/** Stores the manifest of a tree whose files are all there. @throws {LaminaError} CONTEXT_MISSING, CONTEXT_CORRUPT, REGISTRY_UNAVAILABLE */
export async function commitTree(context: TreesContext, workspace: string, entries: readonly TreeEntry[]): Promise<{ tree: Digest }> {
  const { database, registries, repositories } = context;
  const sorted = sortEntries(entries);
  checkEntries(sorted);
  const tree = treeDigest(sorted);
  const packs = await packsOf(database, workspace, sorted);
  const repository = registries.platform.repository(repositories.contexts(workspace));
  try {
    await requirePacks(database, { workspace, repository, packs });
    const entriesBytes = Buffer.from(canonicalJson(sorted));
    const emptyBytes = Buffer.from("{}");
    const [config, entriesBlob] = await Promise.all([
      repository.putBlob({ bytes: emptyBytes }),
      repository.putBlob({ bytes: entriesBytes }),
    ]);
    const manifest = encodeManifest({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      artifactType: TREE_ARTIFACT_TYPE,
      config: { mediaType: mediaTypes.ociEmpty, ...config },
      layers: [
        { mediaType: TREE_ENTRIES_MEDIA_TYPE, ...entriesBlob },
        ...packs.map(({ digest, size }) => ({ mediaType: PACK_MEDIA_TYPE, digest, size: Number(size) })),
      ],
    });
    // A registry that collects manifests without a tag leaves it.
    await repository.putManifest(manifest, { tag: tree.replace("sha256:", "") });
    const row = { manifest: manifest.digest, packs: packs.map(({ digest }) => digest) };
    await overOutages(() =>
      database.tree.upsert({
        where: { workspace_digest: { workspace, digest: tree } },
        create: { workspace, digest: tree, ...row },
        update: row,
      }),
    );
    return { tree };
  } catch (error) {
    if (!isRegistryError(error)) throw error;
    throw new LaminaError({ code: "REGISTRY_UNAVAILABLE", message: `The tree could not be stored: ${error.message}.` }, { cause: error });
  }
}

/** Of these files those that no pack holds. */
export async function missingFiles(database: Database, workspace: string, files: readonly Digest[]): Promise<Digest[]> {
  const wanted = [...new Set(files)];
  const rows = await overOutages(
    () => database.$queryRaw<{ digest: string }[]>`
      SELECT digest FROM packed_file WHERE workspace = ${workspace} AND digest = ANY(${wanted})`,
  );
  const known = new Set(rows.map(({ digest }) => digest));
  return wanted.filter((digest) => !known.has(digest));
}

interface PackOfTree {
  readonly digest: string;
  readonly size: bigint;
}

interface PacksOfTree {
  readonly workspace: string;
  readonly repository: Repository;
  readonly packs: readonly PackOfTree[];
}

/** Forgets the packs that the registry has lost, so that their files are missing. @throws {LaminaError} CONTEXT_MISSING when there are such */
async function requirePacks(database: Database, { workspace, repository, packs }: PacksOfTree): Promise<void> {
  const isThere = await Promise.all(packs.map(({ digest }) => repository.hasBlob(digest)));
  const lost = packs.filter((_, index) => !isThere[index]).map(({ digest }) => digest);
  if (lost.length === 0) return;
  await overOutages(() => database.pack.deleteMany({ where: { workspace, digest: { in: lost } } }));
  const message = "Local files that were uploaded before are not in the registry any more. Build again: they are sent again.";
  throw new LaminaError({ code: "CONTEXT_MISSING", message });
}

/** The packs that hold the files of a tree, each once. @throws {LaminaError} CONTEXT_MISSING, CONTEXT_CORRUPT */
async function packsOf(database: Database, workspace: string, entries: readonly TreeEntry[]): Promise<PackOfTree[]> {
  const files = entries.filter((entry) => entry.kind === "file");
  const digests = [...new Set(files.map(({ digest }) => digest))];
  const rows = await overOutages(
    () => database.$queryRaw<{ digest: string; size: bigint; pack: string; packSize: bigint }[]>`
      SELECT f.digest, f.size, p.digest AS pack, p.size AS "packSize"
      FROM packed_file f JOIN pack p ON p.workspace = f.workspace AND p.digest = f.pack
      WHERE f.workspace = ${workspace} AND f.digest = ANY(${digests})`,
  );
  const known = new Map(rows.map((row) => [row.digest, row]));
  const missing = files.filter(({ digest }) => !known.has(digest));
  if (missing.length > 0) {
    const message = `${missing.length} files of the tree were not uploaded, among them ${missing[0]?.path}.`;
    throw new LaminaError({ code: "CONTEXT_MISSING", message });
  }
  const wrong = files.find(({ digest, size }) => known.get(digest)?.size !== BigInt(size));
  if (wrong !== undefined) {
    throw new LaminaError({ code: "CONTEXT_CORRUPT", message: `${wrong.path} does not have the ${wrong.size} bytes that the tree says.` });
  }
  const packs = new Map(rows.map(({ pack, packSize }) => [pack, packSize]));
  return [...packs].map(([digest, size]) => ({ digest, size })).sort((a, b) => (a.digest < b.digest ? -1 : 1));
}
