import type { PlatformInfo, Services } from "@lamina/api";
import { builderVersionNames, Platform } from "@lamina/ir";
import { z } from "zod";
import type { Context } from "../context.ts";
import { overOutages, type Queryable } from "../database/database.ts";
import { VERSION } from "../version.ts";

export function createPlatformService(context: Context): Services["platform"] {
  const { config, database } = context;
  return {
    async info({ workspace }) {
      const [parts, workers] = await Promise.all([checkParts(context), liveWorkers(database, workspace).catch(() => [])]);
      return { version: VERSION, builderVersions: builderVersionNames(), platform: config.platform, workers, parts };
    },
    async heartbeat({ workspace }, { kind, name, pool, gpus, platform, version }) {
      await overOutages(
        () => database.$executeRaw`
          INSERT INTO worker (workspace, kind, name, pool, gpus, platform, version, heard_at)
          VALUES (${workspace}, ${kind}, ${name}, ${pool}, ${gpus}, ${platform}, ${version}, now())
          ON CONFLICT (workspace, kind, name) DO UPDATE
          SET pool = excluded.pool, gpus = excluded.gpus, platform = excluded.platform, version = excluded.version, heard_at = now()`,
      );
    },
  };
}

const WorkerRow = z.object({
  name: z.string(),
  kind: z.enum(["builder", "runner"]),
  pool: z.string(),
  gpus: z.int(),
  platform: Platform,
  version: z.string(),
});

/** Those that were heard of in the last half minute. */
async function liveWorkers(database: Queryable, workspace: string): Promise<PlatformInfo["workers"]> {
  const rows = await database.$queryRaw<unknown[]>`
    SELECT name, kind, pool, gpus, platform, version FROM worker
    WHERE workspace = ${workspace} AND heard_at > now() - interval '30 seconds'
    ORDER BY kind, pool, name`;
  return rows.map((row) => WorkerRow.parse(row));
}

async function checkParts({ config, database, nats, registries, repositories }: Context): Promise<PlatformInfo["parts"]> {
  const checks = [
    { name: "postgres", address: new URL(config.databaseUrl).host, check: () => database.$queryRaw`SELECT 1` },
    { name: "nats", address: new URL(config.nats.url).host, check: () => nats.connection.flush() },
    {
      name: "registry",
      address: config.registry.host,
      check: () => registries.platform.repository(repositories.images(config.workspace)).hasBlob(`sha256:${"0".repeat(64)}`),
    },
  ];
  return Promise.all(checks.map(async ({ name, address, check }) => ({ name, address, problem: await problemOf(check) })));
}

const CHECK_TIMEOUT_MS = 5_000;

async function problemOf(check: () => Promise<unknown>): Promise<string | undefined> {
  const timeout = AbortSignal.timeout(CHECK_TIMEOUT_MS);
  const late = new Promise<string>((resolve) => {
    timeout.addEventListener("abort", () => resolve(`it did not answer within ${CHECK_TIMEOUT_MS / 1000} s`));
  });
  const answer = check().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  return Promise.race([answer, late]);
}
