/** Function versions as runners serve them. */
import type { ServedFunction } from "@lamina/api";
import { Digest } from "@lamina/ir";
import type { Context } from "../context.ts";
import { overOutages } from "../database/database.ts";
import { servedPart, StoredFunction } from "./spec.ts";

interface ServedRow {
  readonly id: string;
  readonly app: string;
  readonly appName: string;
  readonly spec: unknown;
  readonly host: string | null;
  readonly repository: string;
  readonly digest: string;
  readonly manifest: string;
  readonly gpus: number;
  readonly state: ServedFunction["state"];
}

type ServedContext = Pick<Context, "database" | "repositories">;

/** Those of a pool. */
export async function servedFunctions(
  { database, repositories }: ServedContext,
  workspace: string,
  pool: string,
): Promise<ServedFunction[]> {
  // A tree that was lost and sent again may have another manifest than it had when it was deployed.
  const rows = await overOutages(
    () => database.$queryRaw<ServedRow[]>`
      SELECT f.id, a.id AS app, a.name AS "appName", f.spec, f.host, f.repository, f.digest,
        coalesce(t.manifest, f.code_manifest) AS manifest, f.gpus, f.state::text AS state
      FROM function_version f
      JOIN app a ON a.id = f.app_id
      LEFT JOIN tree t ON t.workspace = f.workspace AND t.digest = f.spec->>'code'
      WHERE f.state IN ('active', 'draining') AND f.workspace = ${workspace} AND f.pool = ${pool}
      ORDER BY f.id`,
  );
  return rows.map(({ spec, host, repository, digest, manifest, ...row }) => ({
    ...servedPart(StoredFunction.parse(spec)),
    ...row,
    workspace,
    image: { host: host ?? undefined, repository, digest: Digest.parse(digest) },
    codeLocation: { repository: repositories.contexts(workspace), digest: Digest.parse(manifest) },
  }));
}
