import { Client } from "pg";
import { expect, test } from "vitest";
import { freshDatabase, freshNamespace, servers } from "../src/index.ts";

async function databaseNames(url: string): Promise<readonly string[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ datname: string }>("select datname from pg_database");
    return rows.map((row) => row.datname);
  } finally {
    await client.end();
  }
}

test("every caller gets the same servers", async () => {
  const [first, second] = await Promise.all([servers(), servers()]);
  expect(first).toEqual(second);
});

test("a database is its caller's own and is gone after its scope", async () => {
  const { postgres } = await servers();
  let name: string;
  {
    await using mine = await freshDatabase();
    await using other = await freshDatabase();
    expect(mine.url).not.toBe(other.url);
    name = new URL(mine.url).pathname.slice(1);
    expect(await databaseNames(postgres.url)).toContain(name);
  }
  expect(await databaseNames(postgres.url)).not.toContain(name);
});

test("a name space is not given twice", () => {
  expect(freshNamespace("a-")).toMatch(/^a-[0-9a-f]{12}$/);
  expect(freshNamespace()).not.toBe(freshNamespace());
});
