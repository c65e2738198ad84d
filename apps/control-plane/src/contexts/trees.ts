/** Trees: manifests in the registry that name the entries, and the packs that hold the files. */
import { LaminaError, PACK_MEDIA_TYPE, TREE_ARTIFACT_TYPE, TREE_ENTRIES_MEDIA_TYPE } from "@lamina/api";
import { canonicalJson, Digest, sortEntries, type TreeEntry } from "@lamina/ir";
import { hash } from "node:crypto";
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
  const entriesBytes = Buffer.from(canonicalJson(sorted));
  // What treeDigest gives, without writing thousands of entries twice.
  const tree: Digest = `sha256:${hash("sha256", entriesBytes)}`;
  const packs = await packsOf(database, workspace, sorted);
  const repository = registries.platform.repository(repositories.contexts(workspace));
  try {
    const [config, entriesBlob] = await Promise.all([
      repository.putBlob({ bytes: Buffer.from("{}") }),
      repository.putBlob({ bytes: entriesBytes }),
      requirePacks(database, { workspace, repository, packs }),
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
      SELECT digest FROM unnest(${wanted}::text[]) AS asked (digest)
      WHERE NOT EXISTS (SELECT FROM packed_file f WHERE f.workspace = ${workspace} AND f.digest = asked.digest)`,
  );
  const missing = new Set(rows.map(({ digest }) => digest));
  return wanted.filter((digest) => missing.has(digest));
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

interface FilesInPack {
  /** Null for the files that no pack holds. */
  readonly pack: string | null;
  readonly packSize: bigint;
  readonly files: number;
  /** One of the files. */
  readonly digest: string;
  /** One that has another size than the tree says. */
  readonly wrong: string | null;
}

/** The packs that hold the files of a tree, each once. @throws {LaminaError} CONTEXT_MISSING, CONTEXT_CORRUPT */
async function packsOf(database: Database, workspace: string, entries: readonly TreeEntry[]): Promise<PackOfTree[]> {
  const files = entries.filter((entry) => entry.kind === "file");
  // A row a pack, since reading one for each of thousands of files takes long.
  const rows = await overOutages(
    () => database.$queryRaw<FilesInPack[]>`
      SELECT f.pack, coalesce(p.size, 0) AS "packSize", count(*)::int AS files, min(w.digest) AS digest,
        min(w.digest) FILTER (WHERE f.size <> w.size) AS wrong
      FROM unnest(${files.map(({ digest }) => digest)}::text[], ${files.map(({ size }) => size)}::bigint[]) AS w (digest, size)
      LEFT JOIN packed_file f ON f.workspace = ${workspace} AND f.digest = w.digest
      LEFT JOIN pack p ON p.workspace = f.workspace AND p.digest = f.pack
      GROUP BY f.pack, p.size`,
  );
  const pathOf = (digest: string) => files.find((file) => file.digest === digest)?.path;
  const missing = rows.find(({ pack }) => pack === null);
  if (missing !== undefined) {
    const message = `${missing.files} files of the tree were not uploaded, among them ${pathOf(missing.digest)}.`;
    throw new LaminaError({ code: "CONTEXT_MISSING", message });
  }
  const wrong = rows.find((row) => row.wrong !== null)?.wrong;
  if (typeof wrong === "string") {
    throw new LaminaError({ code: "CONTEXT_CORRUPT", message: `${pathOf(wrong)} has another size than the tree says.` });
  }
  return rows
    .flatMap(({ pack, packSize }) => (pack === null ? [] : [{ digest: pack, size: packSize }]))
    .sort((a, b) => (a.digest < b.digest ? -1 : 1));
}
