import { freshDatabase } from "@lamina/testkit";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { Client } from "pg";
import { expect, test } from "vitest";
import { deployMigrations } from "../src/database/migrate.ts";
import { migrationNames } from "../src/database/schema-engine.ts";

test("of several that deploy at once one applies each migration, and a later one finds nothing to do", async () => {
  await using database = await freshDatabase();
  const applied = await Promise.all(Array.from({ length: 4 }, () => deployMigrations(database.url)));
  expect(applied.flat()).toEqual(await migrationNames());
  expect(await deployMigrations(database.url)).toEqual([]);
});

test("what debianSlim meant before it had a name of its own stays, and fromRegistry asks for what the platform had made under its name", async () => {
  await using database = await freshDatabase();
  await deployMigrations(database.url);
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query(`INSERT INTO base (workspace, reference, platform, host, repository, digest, "user", bytes) VALUES
      ('a', 'python:3.13-slim', 'linux/amd64', NULL, 'bases/python', 'sha256:made', '', 1),
      ('b', 'python:3.9-slim', 'linux/amd64', 'docker.io', 'library/python', 'sha256:pulled', '', 1),
      ('b', 'debian:12-slim', 'linux/amd64', 'docker.io', 'library/debian', 'sha256:debian', '', 1)`);
    const directory = path.join(import.meta.dirname, "../prisma/migrations/20261201092100_bases_of_python");
    await client.query(await readFile(path.join(directory, "migration.sql"), "utf8"));
    const { rows } = await client.query({ text: "SELECT workspace, reference, digest FROM base ORDER BY 1, 2", rowMode: "array" });
    expect(rows).toEqual([
      ["a", "debianSlim 3.13", "sha256:made"],
      ["b", "debian:12-slim", "sha256:debian"],
      ["b", "debianSlim 3.9", "sha256:pulled"],
      ["b", "python:3.9-slim", "sha256:pulled"],
    ]);
  } finally {
    await client.end();
  }
});
