/** What must not be left of work that has ended. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { runningServers } from "@lamina/servers";
import { Client } from "pg";
import type { OwnServers } from "../own-servers.ts";
import type { TestPlatform } from "../platform.ts";
import { processes, treeOf } from "./process-tree.ts";
import { serverIn, supervisedTree } from "./processes.ts";

/**
 * Names what is left of builds although all have ended: processes, mounts and files of builders and of BuildKit,
 * attempts without an end, messages that were not sent, values of secrets. Empty when nothing is.
 */
export async function leftovers(platform: TestPlatform, servers: OwnServers): Promise<string[]> {
  const found = await Promise.all([
    processesLeft(platform, servers),
    mountsLeft(platform, servers),
    filesLeft(platform),
    rowsLeft(platform.databaseUrl),
  ]);
  return found.flat();
}

/** What builders and BuildKit have started, and what names a place of theirs without being supervised. */
async function processesLeft(platform: TestPlatform, servers: OwnServers): Promise<string[]> {
  const [ours, theirs, all] = await Promise.all([runningServers(platform.directory), runningServers(servers.directory), processes()]);
  const supervised = [...ours, ...theirs].map(({ pid, name }) => ({ name, tree: treeOf(pid, all) }));
  const atWork = supervised
    .filter(({ name }) => name === "buildkitd" || platform.builders.includes(name))
    .flatMap(({ tree }) => treeOf(serverIn(tree)?.pid ?? 0, all).slice(1));
  const known = new Set(supervised.flatMap(({ tree }) => tree.map(({ pid }) => pid)));
  const lost = all.filter(
    ({ pid, command }) => !known.has(pid) && (command.includes(platform.directory) || command.includes(servers.directory)),
  );
  return [...atWork, ...lost].map(({ pid, command, name }) => `process ${pid}: ${command || name}`);
}

async function mountsLeft(platform: TestPlatform, servers: OwnServers): Promise<string[]> {
  const here = (await mounts("self")).filter((target) => [platform, servers].some(({ directory }) => target.startsWith(directory)));
  const buildkit = serverIn(await supervisedTree(servers.directory, "buildkitd"));
  if (buildkit === undefined) return here;
  const executor = join(servers.directory, "buildkit/root/runc-overlayfs/executor");
  const there = (await mounts(buildkit.pid)).filter((target) => target.startsWith(`${executor}/`));
  const bundles = await readdir(`/proc/${buildkit.pid}/root${executor}`, { withFileTypes: true });
  return [
    ...[...here, ...there].map((target) => `mount ${target}`),
    ...bundles.filter((entry) => entry.isDirectory()).map(({ name }) => `container ${name}`),
  ];
}

async function mounts(pid: number | "self"): Promise<string[]> {
  const lines = (await readFile(`/proc/${pid}/mounts`, "utf8")).trim().split("\n");
  return lines.map((line) => line.split(" ")[1] ?? "");
}

async function filesLeft({ directory, builders }: TestPlatform): Promise<string[]> {
  const staged = await Promise.all(
    builders.map(async (builder) =>
      (await readdir(join(directory, builder, "attempts"))).map((name) => `file ${builder}/attempts/${name}`),
    ),
  );
  return staged.flat();
}

async function rowsLeft(databaseUrl: string): Promise<string[]> {
  const client = new Client({ connectionString: databaseUrl });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ row: string }>(`
      SELECT 'build ' || id AS row FROM build WHERE state = 'running'
      UNION ALL SELECT 'attempt ' || id || ' ' || state::text FROM attempt WHERE state IN ('queued', 'running')
      UNION ALL SELECT 'message ' || payload::text FROM outbox_message
      UNION ALL SELECT 'secrets of build ' || build_id FROM build_secrets`);
    return rows.map(({ row }) => row);
  } finally {
    await client.end();
  }
}
