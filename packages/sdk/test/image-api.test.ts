/** Every method of an image with every option, each looked at inside an image that was built with it. The table goes to `dist/image-api.md`. */
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { builderVersion, DEFAULT_BUILDER_VERSION } from "@lamina/ir";
import {
  base,
  gpuStandIn,
  packageIndex,
  privateBase,
  privateRegistry,
  type TestPlatform,
  testPlatform,
  tinyBase,
  wheelOf,
} from "@lamina/testkit";
import { buildImage, type Client, connect } from "lamina";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { groupsOf, METHODS_ON, withoutPython } from "./image-api/groups.ts";
import { indexedPackages, localPythonFiles } from "./image-api/local-python.ts";
import { METHODS, optionsOf, UNUSED_SCHEMAS } from "./image-api/methods.ts";
import type { Group, Row } from "./image-api/rows.ts";
import { FUNCTIONS } from "./image-api/step-rows.ts";
import { busyboxBase } from "./support/busybox-base.ts";
import { lookInside } from "./support/look-inside.ts";
import { type Workspace, workspace } from "./support/workspace.ts";

const TOKEN = "index-0123456789abcdef";
const cleanUp = new AsyncDisposableStack();
let client: Client;
let groups: readonly Group[];

beforeAll(async () => {
  const [tiny, debian] = await Promise.all([tinyBase(), base("3.13"), base("3.11"), gpuStandIn()]);
  // Two of a kind, since steps often wait for the network.
  const builders = { one: {}, two: {}, gpu: { LAMINA_POOL: "T4" } };
  const platform: TestPlatform = cleanUp.use(await testPlatform({ uv: builderVersion(DEFAULT_BUILDER_VERSION)?.uv ?? "", builders }));
  client = await connect({ url: platform.url, token: platform.clientToken });
  const place = cleanUp.use(await workspace());
  const { host } = cleanUp.use(await packageIndex(TOKEN, [...PACKAGES, ...indexedPackages]));
  await place.write({ ...localPythonFiles(host), "functions.py": FUNCTIONS });
  const other = cleanUp.use(await packageIndex(TOKEN, [wheel("elsewhere")]));
  await writeFiles(place);
  const registry = cleanUp.use(await privateRegistry("basic"));
  const urlOf = (at: string, token: string) => `http://token:${token}@${at}/simple/`;
  groups = groupsOf({
    files: place.directory,
    index: urlOf(host, TOKEN),
    otherIndex: urlOf(other.host, TOKEN),
    indexWithSecret: urlOf(host, "${INDEX_TOKEN}"),
    token: TOKEN,
    tiny,
    debian,
    busybox: await busyboxBase(client, withoutPython({ debian })),
    privateBase: { reference: await privateBase(registry, "private"), ...registry.credentials },
  });
});
afterAll(() => cleanUp.disposeAsync());

function wheel(module: string, version = "1.0", requires: readonly string[] = []) {
  return wheelOf({ module, version, source: `VERSION = "${version}"\n`, requires });
}

const PACKAGES = [
  wheel("plain", "1.0", ["needed"]),
  wheel("plain", "2.0"),
  wheel("needed"),
  wheel("flagged", "1.0", ["not_needed"]),
  wheel("not_needed"),
  wheel("early", "1.0"),
  wheel("early", "2.0rc1"),
  wheel("private"),
];

async function writeFiles(place: Workspace): Promise<void> {
  const linked = wheel("linked");
  await place.write({
    "one.txt": "one",
    "run.sh": "#!/bin/sh\necho it runs\n",
    "requirements.txt": "flagged==1.0\n",
    "tree/deep/two.txt": "two\n",
    "tree/it's $5 é.txt": "odd\n",
    "ignoring/.dockerignore": "*.log\n!kept.log\n",
    "ignoring/a.log": "",
    "ignoring/kept.log": "",
    "ignoring/src/a.py": "",
    "ignoring/src/b.py": "",
    [`wheels/${linked.name}`]: Buffer.from(linked.content),
  });
  await mkdir(place.path("tree/empty"));
  await symlink("../outside", place.path("tree/out"));
  await chmod(place.path("run.sh"), 0o755);
}

/** What each look at a group's image prints, in the order of the rows. */
async function looksInto({ base: first, rows, isBuiltTwice = false }: Group): Promise<string[]> {
  const image = rows.reduce((grown, { add }) => add?.(grown) ?? grown, first);
  if (isBuiltTwice) await buildImage(client, image);
  const variables = `SECOND_BUILD=${Date.now()}000000`;
  const looks = rows.map(({ look }) => `( ${look}\n) 2>&1; printf '\\036'`);
  const output = await lookInside(client, await buildImage(client, image), "sh", "-c", [variables, ...looks].join("\n"));
  return output
    .split("\x1e")
    .slice(0, rows.length)
    .map((text) => text.trim());
}

test("what each method and option does is found in a built image", { timeout: 5 * 60_000 }, async () => {
  const looks = await Promise.all(
    groups.map(async (group) => {
      const found = await looksInto(group);
      return group.rows.map((row, index) => ({ base: group.name, row, found: found[index] ?? "" }));
    }),
  );
  await writeTable(looks.flat());
  expect(looks.flat().map(({ base, row, found }) => ({ base, ...nameOf(row), found }))).toEqual(
    looks.flat().map(({ base, row }) => ({ base, ...nameOf(row), found: row.expected })),
  );
});

function nameOf({ method, option, what }: Row) {
  return { method, option, what };
}

describe("the table has a row", () => {
  const rows = () => groups.flatMap((group) => group.rows);

  test("for every method", () => {
    expect([...new Set(rows().map(({ method }) => method))].sort()).toEqual(METHODS.toSorted());
  });

  test.each(Object.entries(METHODS_ON))("on %s, for every method that works there", (name, methods) => {
    const there = groups.filter((group) => group.name === name).flatMap((group) => group.rows);
    expect(methods.filter((method) => !there.some((row) => row.method === method))).toEqual([]);
  });

  test("for every option of every method", () => {
    const options = METHODS.flatMap((method) => optionsOf(method).map((option) => ({ method, option })));
    const without = options.filter(({ method, option }) => !rows().some((row) => row.method === method && row.option === option));
    expect(without).toEqual([]);
    expect(UNUSED_SCHEMAS).toEqual([]);
  });
});

test("the README has every method in its table", async () => {
  const readme = await readFile(join(import.meta.dirname, "../README.md"), "utf8");
  const table = readme.split("\n").filter((line) => line.startsWith("|"));
  expect(METHODS.filter((method) => !table.some((line) => new RegExp(`\\b${method}\\(`).test(line)))).toEqual([]);
});

async function writeTable(looks: readonly { readonly base: string; readonly row: Row; readonly found: string }[]): Promise<void> {
  const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ⏎ ");
  const code = (text: string) => `\`\` ${cell(text)} \`\``;
  const lines = looks.map(
    ({ base: name, row, found }) =>
      `| ${row.method} | ${row.option ?? ""} | ${name} | ${cell(row.what)} | ${code(row.look)} | ${code(found)} |`,
  );
  const head = ["| method | option | base | what was looked at | by | found |", "| --- | --- | --- | --- | --- | --- |"];
  await mkdir(join(import.meta.dirname, "../dist"), { recursive: true });
  await writeFile(join(import.meta.dirname, "../dist/image-api.md"), `${[...head, ...lines].join("\n")}\n`);
}
