import { migrationList, noFilters, withSchemaEngine } from "./schema-engine.ts";

/**
 * Applies the migrations that the database lacks. Several processes may do so at once: the engine
 * holds a lock of Postgres meanwhile.
 * @returns the names of those that were applied
 */
export async function deployMigrations(databaseUrl: string): Promise<string[]> {
  return withSchemaEngine(databaseUrl, async (engine) => {
    const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList: await migrationList(), filters: noFilters });
    return appliedMigrationNames;
  });
}
