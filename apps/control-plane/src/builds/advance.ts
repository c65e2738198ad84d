/**
 * Taking a build one step on: it is done when its last layer has a record, and otherwise waits for one
 * attempt, the one that makes its first missing layer. Called whenever that may have changed, under the
 * workspace's lock.
 */
import { Digest, ResolvedDefinition } from "@lamina/ir";
import { formatReference } from "@lamina/registry";
import { v7 as uuid } from "uuid";
import type { Context } from "../context.ts";
import type { Transaction } from "../database/database.ts";
import type { Build } from "../generated/client.ts";
import { type Hit, stateOf } from "../images/chain.ts";
import { liveBuilders } from "../images/pools.ts";
import { SecretSources } from "../images/secret-sources.ts";
import { enqueue } from "../outbox/messages.ts";
import { endBuild } from "./end.ts";
import { addOwnEvent } from "./own-events.ts";
import { endOfSegment } from "./segment.ts";

export type AdvanceContext = Pick<Context, "config" | "repositories">;

export async function advance(context: AdvanceContext, transaction: Transaction, buildId: string): Promise<void> {
  const build = await transaction.build.findUniqueOrThrow({ where: { id: buildId } });
  if (build.state === "running") await advanceRunning(context, transaction, build);
}

/** The same for a build that was just read or written. */
export async function advanceRunning(context: AdvanceContext, transaction: Transaction, build: Build): Promise<void> {
  const { id, workspace, layers, forcedFrom } = build;
  const { hit, inTheMaking } = await stateOf(transaction, { workspace, layers, forcedFrom, build: id });
  if (hit.index === layers.length - 1) return finish(context, transaction, { build, hit });

  const first = hit.index + 1;
  const attempt = inTheMaking.get(first);
  if (attempt !== undefined) return join(transaction, build, attempt);
  await begin(context, transaction, { build, hit, isTaken: (index) => inTheMaking.has(index) });
}

interface BuildAtHit {
  readonly build: Build;
  readonly hit: Hit;
}

async function finish({ config, repositories }: AdvanceContext, transaction: Transaction, { build, hit }: BuildAtHit): Promise<void> {
  const digest = Digest.parse(hit.record?.digest ?? build.baseDigest);
  const location =
    hit.record === null
      ? { host: build.baseHost ?? config.registry.host, repository: build.baseRepository }
      : { host: config.registry.host, repository: repositories.images(build.workspace) };
  const ref = formatReference({ ...location, digest });
  await endBuild(transaction, build.id, { state: "done", image: build.image, ref, digest, record: hit.record?.id ?? null });
}

async function join(transaction: Transaction, build: Build, attemptId: string): Promise<void> {
  const { count } = await transaction.buildAttempt.createMany({ data: [{ buildId: build.id, attemptId }], skipDuplicates: true });
  if (count === 0) return;
  const { pool, layers } = await transaction.attempt.findUniqueOrThrow({
    where: { id: attemptId },
    include: { layers: { orderBy: { index: "asc" } } },
  });
  const wanted = layers.map(({ layer }) => layer).filter((layer) => build.layers.includes(layer));
  await addOwnEvent(transaction, build.id, { type: "attempt", at: Date.now(), attempt: attemptId, pool, layers: wanted, joined: true });
}

interface Beginning extends BuildAtHit {
  readonly isTaken: (index: number) => boolean;
}

async function begin({ repositories }: AdvanceContext, transaction: Transaction, { build, hit, isTaken }: Beginning): Promise<void> {
  const { id: buildId, workspace, pools, forcedFrom } = build;
  const first = hit.index + 1;
  const secretSources = SecretSources.parse(build.variableSources);
  const last = endOfSegment(first, { pools, secretSources, isTaken });
  const pool = pools[first] ?? "";
  const definition = ResolvedDefinition.parse(build.definition);
  const attemptId = uuid();
  const records = Array.from({ length: last - first + 1 }, () => uuid());
  const layers = records.map((record, offset) => ({
    index: first + offset,
    layer: build.layers[first + offset] ?? "",
    record,
    parentRecord: offset === 0 ? (hit.record?.id ?? null) : (records[offset - 1] ?? null),
  }));
  const from =
    hit.record === null
      ? { fromHost: build.baseHost, fromRepository: build.baseRepository, fromDigest: build.baseDigest }
      : { fromHost: null, fromRepository: repositories.images(workspace), fromDigest: hit.record.digest };

  await transaction.attempt.create({
    data: {
      id: attemptId,
      workspace,
      pool,
      definition: { ...definition, steps: definition.steps.slice(0, last) },
      forcedFrom: forcedFrom !== null && forcedFrom <= last ? forcedFrom : null,
      ...from,
      fromUser: build.baseUser,
      layers: { createMany: { data: layers } },
      builds: { create: { buildId } },
    },
  });
  await enqueue(transaction, { kind: "job", pool, job: { kind: "build", attempt: attemptId } });
  const ids = layers.map(({ layer }) => layer);
  const builders = await liveBuilders(transaction, workspace, pool);
  await addOwnEvent(transaction, buildId, {
    type: "attempt",
    at: Date.now(),
    attempt: attemptId,
    pool,
    layers: ids,
    joined: false,
    builders,
  });
}
