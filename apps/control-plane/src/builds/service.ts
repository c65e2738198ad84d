import { Build as BuildView, ErrorInfo, badInput, LaminaError, type Services, type StartBuildInput } from "@lamina/api";
import { treesOf } from "@lamina/ir";
import { v7 as uuid } from "uuid";
import type { z } from "zod";
import type { Context } from "../context.ts";
import { requireSources } from "../contexts/required-sources.ts";
import { type Database, inWorkspace, overOutages } from "../database/database.ts";
import type { Prisma } from "../generated/client.ts";
import { requireCopiedImages } from "../images/copied-images.ts";
import { plannedLayers } from "../images/planned-layers.ts";
import { livePoolsOf } from "../images/pools.ts";
import { resolveRequest } from "../images/request.ts";
import { inlineVariables, type SecretSources } from "../images/secret-sources.ts";
import { chainStateWithImport, missingTrees } from "../images/service.ts";
import { buildSecretsRow } from "../secrets/build-secrets.ts";
import { checkValues } from "../secrets/service.ts";
import { advanceRunning } from "./advance.ts";
import { endBuild } from "./end.ts";
import { createBuildFollower } from "./follow.ts";
import { addOwnEvent, firstEvents } from "./own-events.ts";

export function createBuildsService(context: Context): Services["builds"] {
  const { database, registries, sealer, wakeOutbox } = context;
  const follower = createBuildFollower(context);
  return {
    async start({ workspace }, input) {
      const request = await resolveRequest(context, workspace, input);
      const { definition, asWritten, layers, base, secretSources, forcedFrom } = request;
      const secrets = neededValues(secretSources, input);
      if (input.sources.length > layers.length) {
        throw badInput("invalid-request", `There are ${input.sources.length} sources for ${layers.length} layers.`);
      }
      const { hit } = await chainStateWithImport(context, request);
      const toMake = { steps: definition.steps, mustRun: hit.index + 1, sources: input.sources };
      const pools = await livePoolsOf(database, workspace, toMake);
      await requireCopiedImages(registries, { steps: definition.steps, from: hit.index + 1, sources: input.sources });
      await requireTrees(database, workspace, treesOf({ steps: definition.steps.slice(hit.index) }));
      await requireSources(context, workspace, { steps: definition.steps, from: hit.index + 1, sources: input.sources });

      const id = input.id ?? uuid();
      const events = await inWorkspace(database, workspace, async (transaction) => {
        if ((await transaction.build.count({ where: { id, workspace } })) > 0) return firstEvents(transaction, id);
        const build = await transaction.build.create({
          data: {
            id,
            workspace,
            name: input.name,
            image: request.image,
            layers: [...layers],
            pools,
            definition,
            variableSources: secretSources,
            sources: input.sources,
            forcedFrom,
            baseHost: base.host,
            baseRepository: base.repository,
            baseDigest: base.digest,
            baseUser: base.user,
            baseBytes: base.bytes,
            secrets: Object.keys(secrets).length === 0 ? undefined : { create: { sealed: sealer.seal(buildSecretsRow(id), secrets) } },
          },
        });
        const planned = await plannedLayers(transaction, { layers, definition: asWritten, baseBytes: base.bytes }, hit);
        await addOwnEvent(transaction, id, { type: "planned", at: Date.now(), image: request.image, layers: planned });
        await advanceRunning(context, transaction, build);
        return firstEvents(transaction, id);
      });
      wakeOutbox();
      return { build: id, events };
    },
    async get({ workspace }, { id }) {
      return viewOf(await findBuild(database, workspace, id));
    },
    async list({ workspace }, { limit }) {
      const query = { where: { workspace }, orderBy: { id: "desc" }, take: limit, select: VIEW } as const;
      const builds = await overOutages(() => database.build.findMany(query));
      return builds.map(viewOf);
    },
    async cancel({ workspace }, { id }) {
      await findBuild(database, workspace, id);
      await inWorkspace(database, workspace, (transaction) => endBuild(transaction, id, { state: "cancelled" }));
      wakeOutbox();
    },
    async *follow({ workspace }, { id, lastEventId, until }, signal) {
      await findBuild(database, workspace, id);
      yield* follower.follow(id, { cursor: lastEventId ?? undefined, until }, signal);
    },
  };
}

/** The columns that are shown; definitions may be large. */
const VIEW = { id: true, name: true, image: true, state: true, createdAt: true, endedAt: true, ref: true, error: true } as const;
type ViewedBuild = Prisma.BuildGetPayload<{ select: typeof VIEW }>;

async function findBuild(database: Database, workspace: string, id: string): Promise<ViewedBuild> {
  const build = await overOutages(() => database.build.findFirst({ where: { id, workspace }, select: VIEW }));
  if (build === null) throw new LaminaError({ code: "NOT_FOUND", message: `There is no build ${id}.` });
  return build;
}

/** Of the values that came with a request those that are used. @throws {LaminaError} SECRET_MISSING */
function neededValues(
  secretSources: SecretSources,
  { secrets: given, sources }: Pick<z.output<typeof StartBuildInput>, "secrets" | "sources">,
): Record<string, string> {
  const needed = inlineVariables(secretSources).map((variable) => [variable, given[variable]] as const);
  const missing = needed.filter(([, value]) => value === undefined).map(([variable]) => variable);
  if (missing.length > 0) {
    const layer = secretSources.findIndex((variables) => missing.some((variable) => variables[variable] === null));
    const message = `No value was given for the secret's ${missing.join(", ")}.`;
    throw new LaminaError({ code: "SECRET_MISSING", reason: "unset-variable", message, source: sources[layer] ?? undefined });
  }
  const values = Object.fromEntries(needed.flatMap(([variable, value]) => (value === undefined ? [] : [[variable, value] as const])));
  checkValues(values);
  return values;
}

async function requireTrees(database: Database, workspace: string, trees: ReturnType<typeof treesOf>): Promise<void> {
  const missing = await overOutages(() => missingTrees(database, workspace, trees));
  if (missing.length === 0) return;
  throw new LaminaError({ code: "CONTEXT_MISSING", message: `Local files were not uploaded, or not whole: ${missing.join(", ")}.` });
}

function viewOf(build: ViewedBuild): BuildView {
  return {
    id: build.id,
    name: build.name ?? undefined,
    image: build.image,
    state: build.state,
    createdAt: build.createdAt.toISOString(),
    endedAt: build.endedAt?.toISOString(),
    ref: build.ref ?? undefined,
    error: build.error === null ? undefined : ErrorInfo.parse(build.error),
  };
}
