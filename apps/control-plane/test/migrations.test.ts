import { freshDatabase } from "@lamina/testkit";
import { expect, test } from "vitest";
import { deployMigrations } from "../src/database/migrate.ts";
import { migrationNames } from "../src/database/schema-engine.ts";

test("of several that deploy at once one applies each migration, and a later one finds nothing to do", async () => {
  await using database = await freshDatabase();
  const applied = await Promise.all(Array.from({ length: 4 }, () => deployMigrations(database.url)));
  expect(applied.flat()).toEqual(await migrationNames());
  expect(await deployMigrations(database.url)).toEqual([]);
});
