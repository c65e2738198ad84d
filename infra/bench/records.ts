/** A database as it is after years of builds, written by SQL in bulk. */
import { randomUUID } from "node:crypto";
import { DEFAULT_BUILDER_VERSION, type Definition } from "@lamina/ir";
import { Client as Database } from "pg";
import type { ControlPlane } from "./control-plane.ts";

const KNOWN_IMAGES = 100;
const LAYERS_AN_IMAGE = 10;

/** Definitions of which the database has a record of every layer. */
export async function knownImages({ client, databaseUrl }: Pick<ControlPlane, "client" | "databaseUrl">): Promise<Definition[]> {
  const definitions = Array.from({ length: KNOWN_IMAGES }, definitionOfSomething);
  for (const definition of definitions) {
    const { layers } = await client.images.plan({ definition });
    await inDatabase(databaseUrl, (database) => database.query(KEEP_CHAIN, [layers.slice(1).map(({ id }) => id)]));
  }
  return definitions;
}

/** Adds records of images of ten layers each to the one workspace of the database, which have nothing to do with known images. */
export async function addRecords(databaseUrl: string, count: number): Promise<void> {
  await inDatabase(databaseUrl, async (database) => {
    await database.query(ADD_RECORDS, [count]);
    await database.query("VACUUM ANALYZE record");
  });
}

function definitionOfSomething(): Definition {
  const steps = Array.from({ length: LAYERS_AN_IMAGE }, () => ({ kind: "runCommands" as const, commands: [`echo ${randomUUID()}`] }));
  return { builderVersion: DEFAULT_BUILDER_VERSION, base: { kind: "debianSlim", pythonVersion: "3.13" }, steps };
}

/** $1: the layers of an image without its base. */
const KEEP_CHAIN = `
  WITH chain AS (
    SELECT layer, place, 'known-' || layer AS id, 'known-' || lag(layer) OVER (ORDER BY place) AS parent
    FROM unnest($1::text[]) WITH ORDINALITY AS given (layer, place)
  )
  INSERT INTO record (id, workspace, layer, parent, digest, bytes, seconds, builder, builder_version)
  SELECT id, (SELECT workspace FROM base LIMIT 1), layer, parent, 'sha256:' || layer, 1000, 1, 'bench', '${DEFAULT_BUILDER_VERSION}' FROM chain`;

/** $1: how many. */
const ADD_RECORDS = `
  INSERT INTO record (id, workspace, layer, parent, digest, bytes, seconds, builder, builder_version)
  SELECT 'other-' || lpad(n::text, 12, '0'), (SELECT workspace FROM base LIMIT 1), encode(sha256(n::text::bytea), 'hex'),
    CASE WHEN n % ${LAYERS_AN_IMAGE} > 0 THEN 'other-' || lpad((n - 1)::text, 12, '0') END,
    'sha256:' || encode(sha256(n::text::bytea), 'hex'), 1000, 1, 'bench', '${DEFAULT_BUILDER_VERSION}'
  FROM generate_series(0, $1::int - 1) AS n`;

async function inDatabase(url: string, work: (database: Database) => Promise<unknown>): Promise<void> {
  const database = new Database({ connectionString: url });
  await database.connect();
  try {
    await work(database);
  } finally {
    await database.end();
  }
}
