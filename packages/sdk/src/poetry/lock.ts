/** A poetry.lock, and whether it was made from its pyproject.toml. */
import { createHash } from "node:crypto";
import type { TomlTable, TomlValue } from "smol-toml";
import { z } from "zod";
import { parseToml } from "../local/toml.ts";
import { Unsupported } from "../local/walk.ts";
import type { PoetryProject } from "./project.ts";

const Lock = z.looseObject({
  metadata: z.looseObject({ "content-hash": z.string(), "lock-version": z.string() }),
});

/** @throws Unsupported for what Poetry did not write, or wrote from another pyproject */
export function checkLock(text: string, { given, project }: { readonly given: string; readonly project: PoetryProject }): void {
  const lock = Lock.safeParse(parseToml(text, { given, reason: "invalid-lock" })).data?.metadata;
  if (lock === undefined)
    throw new Unsupported("invalid-lock", `"${given}" is no lock of Poetry: it has no metadata with a content hash; run \`poetry lock\``);
  const version = lock["lock-version"];
  if (!/^[12]\./.test(version)) {
    throw new Unsupported(
      "invalid-lock",
      `"${given}" has the lock version ${version}, and only 1 and 2 are known: make it with an older Poetry`,
    );
  }
  const hashes = [contentHash(project.data), ...(isOlder(text) ? [contentHash({ ...project.data, "dependency-groups": {} })] : [])];
  if (hashes.includes(lock["content-hash"])) return;
  throw new Unsupported(
    "stale-lock",
    `"${given}" was not made from "${project.given}" as it is now: run \`poetry lock\`, or ask for { ignoreLockfile: true }`,
  );
}

/** Until Poetry 2.3 the hash left `[dependency-groups]` out. */
function isOlder(text: string): boolean {
  const [, major, minor] = /^.*Poetry (\d+)\.(\d+)/.exec(text) ?? [];
  return major !== undefined && (Number(major) < 2 || (Number(major) === 2 && Number(minor) < 3));
}

/** What Poetry writes into the lock, by which it knows that the pyproject is still the same. */
export function contentHash(data: TomlTable): string {
  const ofProject = pick(tableIn(data, "project"), PROJECT_KEYS);
  const groups = tableIn(data, "dependency-groups");
  const isStandard = Object.keys(ofProject).length > 0 || Object.keys(groups).length > 0;
  const poetry = tableIn(tableIn(data, "tool"), "poetry");
  // Without standard content the oldest keys are there even where the file lacks them.
  const missing = isStandard ? {} : Object.fromEntries(OLDEST_KEYS.map((key) => [key, null]));
  const ofPoetry = { ...missing, ...pick(poetry, [...OLDEST_KEYS, "group"]) };
  const content = isStandard
    ? {
        ...(Object.keys(ofProject).length > 0 && { project: ofProject }),
        ...(Object.keys(groups).length > 0 && { "dependency-groups": groups }),
        tool: { poetry: ofPoetry },
      }
    : ofPoetry;
  return createHash("sha256").update(pythonJson(content)).digest("hex");
}

const PROJECT_KEYS = ["requires-python", "dependencies", "optional-dependencies"];
const OLDEST_KEYS = ["dependencies", "source", "extras", "dev-dependencies"];

function tableIn(table: TomlTable, key: string): TomlTable {
  const value = table[key];
  return isTable(value) ? value : {};
}

function isTable(value: unknown): value is TomlTable {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function pick(table: TomlTable, keys: readonly string[]): TomlTable {
  return Object.fromEntries(keys.flatMap((key) => (table[key] === undefined ? [] : [[key, table[key]]])));
}

type Value = TomlValue | null | { readonly [key: string]: Value };

/** As `json.dumps(value, sort_keys=True)` of Python writes it. */
function pythonJson(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(", ")}]`;
  if (value === null || typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (typeof value === "number") return Number.isInteger(value) ? `${value}.0` : String(value);
  if (typeof value === "string" || value instanceof Date) return asciiString(String(value));
  const members = Object.keys(value)
    .sort()
    .map((key) => `${asciiString(key)}: ${pythonJson(value[key] ?? null)}`);
  return `{${members.join(", ")}}`;
}

function asciiString(text: string): string {
  return JSON.stringify(text).replaceAll(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
