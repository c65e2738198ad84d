/**
 * Prisma's schema engine as WebAssembly: it compares schemas and applies migrations without a native
 * binary. What needs a shadow database does not work with it. The package imports its WebAssembly as a
 * module, for which Node prints a warning once.
 */
import { PrismaPg } from "@prisma/adapter-pg";
import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";
import { SchemaEngine, type MigrationList } from "@prisma/schema-engine-wasm";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Every table of the schema belongs to the migrations. */
export const noFilters = { externalTables: [], externalEnums: [] };

/** The folder with `schema.prisma` and `migrations`, found from the source as from the bundle. */
export const prismaDirectory = findPrismaDirectory();
export const migrationsDirectory = join(prismaDirectory, "migrations");

/** Lets `use` work with an engine on that database, and closes its connections: they hold the lock of the migrations. */
export async function withSchemaEngine<T>(databaseUrl: string, use: (engine: SchemaEngine) => Promise<T>): Promise<T> {
  const schemaFile = join(prismaDirectory, "schema.prisma");
  const factory = new PrismaPg({ connectionString: databaseUrl });
  const connections: { dispose(): Promise<void> }[] = [];
  const adapter = bindMigrationAwareSqlAdapterFactory({
    provider: factory.provider,
    adapterName: factory.adapterName,
    connectToShadowDb: () => factory.connectToShadowDb(),
    async connect() {
      const connection = await factory.connect();
      connections.push(connection);
      return connection;
    },
  });
  try {
    const engine = await SchemaEngine.new({ datamodels: [[schemaFile, await readFile(schemaFile, "utf8")]] }, () => {}, adapter);
    return await use(engine);
  } finally {
    await Promise.all(connections.map((connection) => connection.dispose()));
  }
}

/** The names of the migrations, the oldest first. */
export async function migrationNames(): Promise<string[]> {
  if (!existsSync(migrationsDirectory)) return [];
  const entries = await readdir(migrationsDirectory, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

export async function migrationList(): Promise<MigrationList> {
  const lockFile = "migration_lock.toml";
  const directory = async (name: string) => {
    const sql = await readFile(join(migrationsDirectory, name, "migration.sql"), "utf8");
    return { path: name, migrationFile: { path: "migration.sql", content: { tag: "ok" as const, value: sql } } };
  };
  return {
    baseDir: migrationsDirectory,
    shadowDbInitScript: "",
    lockfile: { path: lockFile, content: await readFile(join(migrationsDirectory, lockFile), "utf8") },
    migrationDirectories: await Promise.all((await migrationNames()).map(directory)),
  };
}

function findPrismaDirectory(): string {
  for (let directory = import.meta.dirname; directory !== dirname(directory); directory = dirname(directory)) {
    const candidate = join(directory, "prisma");
    if (existsSync(join(candidate, "schema.prisma"))) return candidate;
  }
  throw new Error(`prisma/schema.prisma was not found above ${import.meta.dirname}`);
}
