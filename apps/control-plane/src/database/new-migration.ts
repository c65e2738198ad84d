/**
 * Writes a migration from the last one's schema to that of today: `pnpm run migration <name>`. Each
 * migration keeps a copy of its schema beside its SQL, and these are compared; the engine wants to be
 * connected all the same, so LAMINA_DATABASE_URL has to name some Postgres. Nothing is changed there.
 */
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { databaseUrlFrom } from "../config.ts";
import { migrationNames, migrationsDirectory, noFilters, prismaDirectory, withSchemaEngine } from "./schema-engine.ts";

const [name] = process.argv.slice(2);
if (name === undefined || !/^[a-z0-9_]+$/.test(name)) {
  console.error("Give the migration a name of lower-case letters, digits and underscores.");
  process.exit(2);
}

const databaseUrl = databaseUrlFrom(process.env);
const schemaFile = join(prismaDirectory, "schema.prisma");
const schemaOf = async (file: string) => ({
  tag: "schemaDatamodel" as const,
  files: [{ path: schemaFile, content: await readFile(file, "utf8") }],
});
const last = (await migrationNames()).at(-1);
const difference = {
  from: last === undefined ? { tag: "empty" as const } : await schemaOf(join(migrationsDirectory, last, "schema.prisma")),
  to: await schemaOf(schemaFile),
  script: true,
  exitCode: true,
  filters: noFilters,
};
const { stdout: sql, exitCode } = await withSchemaEngine(databaseUrl, (engine) => engine.diff(difference));
if (exitCode !== 2 || sql === null) {
  console.log("The schema has not changed.");
  process.exit(0);
}

const migration = `${new Date().toISOString().replaceAll(/\D/g, "").slice(0, 14)}_${name}`;
const directory = join(migrationsDirectory, migration);
await mkdir(directory, { recursive: true });
await writeFile(join(directory, "migration.sql"), sql);
await copyFile(schemaFile, join(directory, "schema.prisma"));
await writeFile(join(migrationsDirectory, "migration_lock.toml"), 'provider = "postgresql"\n');
console.log(migration);
process.exit(0);
