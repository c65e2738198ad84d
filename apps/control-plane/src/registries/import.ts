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
   * records that it was built on. A registry that cannot be reached, or not in time, has none.
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
/** Somebody waits for a plan. */
const TIMEOUT_MS = 10_000;

export function createRecordImport({ database, registries, repositories, logger }: RecordImportOptions): RecordImport {
  const lists = new Map<string, { readonly readAt: number; readonly tags: Promise<TagList> }>();

  const tagsOf = (workspace: string, repository: Repository, signal: AbortSignal): Promise<TagList> => {
    const known = lists.get(workspace);
    if (known !== undefined && performance.now() - known.readAt < LIST_FRESH_MS) return known.tags;
    const tags = readTags(repository, signal);
    lists.set(workspace, { readAt: performance.now(), tags });
    tags.catch(() => lists.delete(workspace));
    return tags;
  };

  return {
    async importDeepest(workspace, layers) {
      const repository = registries.platform.repository(repositories.images(workspace));
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      try {
        const tags = await tagsOf(workspace, repository, signal);
        const records = await readDeepestChain({ repository, tags, layers, signal, logger });
        if (records.length === 0) return;
        const data = records.map((record, index) => {
          const { id, layer, parent, digest, builderVersion } = record;
          return { workspace, id, layer, parent, digest, builderVersion, bytes: addedBytes(record, records[index + 1]) };
        });
        await overOutages(() => database.record.createMany({ data, skipDuplicates: true }));
        logger.info({ workspace, layer: records[0]?.layer, records: data.length }, "took records back from the registry");
      } catch (error) {
        if (!isRegistryError(error) && !isTimeout(error)) throw error;
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

/** A list of tags is read for several callers: it may end with the time of another. */
function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === "TimeoutError";
}

async function readTags(repository: Repository, signal: AbortSignal): Promise<TagList> {
  const newest = new Map<string, string>();
  const byRecord = new Map<string, string>();
  for await (const tag of repository.tags({ signal })) {
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

interface ChainReading {
  readonly repository: Repository;
  readonly tags: TagList;
  readonly layers: readonly string[];
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** The chain of the deepest layer whose record can be read. */
async function readDeepestChain(reading: ChainReading): Promise<RegistryRecord[]> {
  for (const layer of reading.layers.toReversed()) {
    const tag = reading.tags.newest(layer);
    const records = tag === undefined ? [] : await readChain(reading, tag);
    if (records.length > 0) return records;
  }
  return [];
}

/** A record and those that it was built on, as far as they have tags and can be read; the deepest first. */
async function readChain(reading: ChainReading, deepest: string): Promise<RegistryRecord[]> {
  const records: RegistryRecord[] = [];
  for (let tag: string | undefined = deepest; tag !== undefined;) {
    const record = await readRecord(reading, tag);
    if (record === undefined) break;
    records.push(record);
    tag = record.parent === null ? undefined : reading.tags.of(record.parent);
  }
  return records;
}

/** Undefined when the manifest cannot be read, or does not say that it is the record that its tag names. */
async function readRecord({ repository, signal, logger }: ChainReading, tag: string): Promise<RegistryRecord | undefined> {
  const manifest = await repository.manifest(tag, { signal }).catch((error: unknown) => {
    if (!isRegistryError(error)) throw error;
    logger.warn({ err: error, tag }, "the manifest of a record cannot be read");
  });
  if (manifest === undefined) return undefined;
  const { digest, content } = manifest;
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
