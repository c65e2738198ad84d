/**
 * Taking records back from the registry. Its tags `<layer id>-<record id>` are the records of a
 * workspace: those that another platform on the same registry published, and those that Postgres lost.
 */
import { isIndex, isRegistryError, type Repository } from "@lamina/registry";
import type { Logger } from "@lamina/service";
import { z } from "zod";
import { type Database, overOutages } from "../database/database.ts";
import type { Registries, Repositories } from "./registries.ts";

export interface RecordImport {
  /**
   * Takes back the newest record of the deepest of these layers that the registry has one of, with the
   * records that it was built on. A registry that cannot be reached has none.
   * @param layers layer ids that have no record here, in the order of their chain
   */
  importDeepest(workspace: string, layers: readonly string[]): Promise<void>;
}

export interface RecordImportOptions {
  readonly database: Database;
  readonly registries: Registries;
  readonly repositories: Repositories;
  readonly logger: Logger;
}

/** How long a list of tags is used. */
const LIST_FRESH_MS = 3_000;

export function createRecordImport({ database, registries, repositories, logger }: RecordImportOptions): RecordImport {
  const lists = new Map<string, { readonly readAt: number; readonly tags: Promise<TagList> }>();

  const tagsOf = (workspace: string, repository: Repository): Promise<TagList> => {
    const known = lists.get(workspace);
    if (known !== undefined && performance.now() - known.readAt < LIST_FRESH_MS) return known.tags;
    const tags = readTags(repository);
    lists.set(workspace, { readAt: performance.now(), tags });
    tags.catch(() => lists.delete(workspace));
    return tags;
  };

  return {
    async importDeepest(workspace, layers) {
      const repository = registries.platform.repository(repositories.images(workspace));
      try {
        const tags = await tagsOf(workspace, repository);
        const deepest = layers.map((layer) => tags.newest(layer)).findLast((tag) => tag !== undefined);
        if (deepest === undefined) return;
        const records = await readChain(repository, tags, deepest);
        const data = records.map((record, index) => {
          const { id, layer, parent, digest, builderVersion } = record;
          return { workspace, id, layer, parent, digest, builderVersion, bytes: addedBytes(record, records[index + 1]) };
        });
        await overOutages(() => database.record.createMany({ data, skipDuplicates: true }));
        logger.info({ workspace, tag: deepest, records: data.length }, "took records back from the registry");
      } catch (error) {
        if (!isRegistryError(error)) throw error;
        logger.warn({ err: error, workspace }, "records could not be looked for in the registry");
      }
    },
  };
}

interface TagList {
  /** The tag of the newest record of a layer. */
  newest(layer: string): string | undefined;
  /** The tag of a record. */
  of(record: string): string | undefined;
}

async function readTags(repository: Repository): Promise<TagList> {
  const newest = new Map<string, string>();
  const byRecord = new Map<string, string>();
  for await (const tag of repository.tags()) {
    const [, layer, record] = /^([0-9a-f]{64})-([0-9a-f-]{36})$/.exec(tag) ?? [];
    if (layer === undefined || record === undefined) continue;
    byRecord.set(record, tag);
    if (tag > (newest.get(layer) ?? "")) newest.set(layer, tag);
  }
  return { newest: (layer) => newest.get(layer), of: (record) => byRecord.get(record) };
}

const Annotations = z.object({
  "dev.lamina.layer": z.string(),
  "dev.lamina.record": z.string(),
  "dev.lamina.parent-record": z.string().optional(),
  "dev.lamina.builder-version": z.string(),
});

interface RegistryRecord {
  readonly id: string;
  readonly layer: string;
  readonly parent: string | null;
  readonly digest: string;
  readonly builderVersion: string;
  readonly blobSizes: readonly number[];
}

/** A record and those that it was built on, as far as they have tags; the deepest first. */
async function readChain(repository: Repository, tags: TagList, deepest: string): Promise<RegistryRecord[]> {
  const records: RegistryRecord[] = [];
  for (let tag: string | undefined = deepest; tag !== undefined;) {
    const record = await readRecord(repository, tag);
    if (record === undefined) break;
    records.push(record);
    tag = record.parent === null ? undefined : tags.of(record.parent);
  }
  return records;
}

/** Undefined when the manifest does not say that it is the record that its tag names. */
async function readRecord(repository: Repository, tag: string): Promise<RegistryRecord | undefined> {
  const { digest, content } = await repository.manifest(tag);
  const annotations = Annotations.safeParse(content.annotations);
  if (isIndex(content) || !annotations.success) return undefined;
  const { "dev.lamina.layer": layer, "dev.lamina.record": id, "dev.lamina.builder-version": builderVersion } = annotations.data;
  if (tag !== `${layer}-${id}`) return undefined;
  const parent = annotations.data["dev.lamina.parent-record"] || null;
  return { id, layer, parent, digest, builderVersion, blobSizes: content.layers.map(({ size }) => size) };
}

/** What a record added to the one that it was built on. */
function addedBytes({ blobSizes }: RegistryRecord, parent: RegistryRecord | undefined): number {
  const added = parent === undefined ? blobSizes.slice(-1) : blobSizes.slice(parent.blobSizes.length);
  return added.reduce((sum, size) => sum + size, 0);
}
