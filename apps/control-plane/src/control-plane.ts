/** The control plane put together: the services on Postgres, NATS and the registry, and what runs beside them. */
import { type Caller, catalogue, type Services } from "@lamina/api";
import { connectNats, type Logger } from "@lamina/service";
import { createAppsService } from "./apps/service.ts";
import { createAttemptsService } from "./attempts/service.ts";
import { createBases } from "./bases/bases.ts";
import { createPythonBases } from "./bases/python-base.ts";
import { createBuildsService } from "./builds/service.ts";
import { createUnrecordedCalls } from "./calls/unrecorded.ts";
import { createLines, type Lines } from "./calls/lines.ts";
import { createPaces } from "./calls/paces.ts";
import { createCallsService } from "./calls/service.ts";
import { createTargets } from "./calls/targets.ts";
import { createToldEnds } from "./calls/told.ts";
import { createCallWaiters } from "./calls/waiters.ts";
import type { Config } from "./config.ts";
import type { Context } from "./context.ts";
import { createPacks, type Packs } from "./contexts/packs.ts";
import { createContextsService } from "./contexts/service.ts";
import { connectDatabase } from "./database/database.ts";
import { connectStatements } from "./database/statements.ts";
import { deployMigrations } from "./database/migrate.ts";
import { createFeedReader } from "./events/feed.ts";
import { openNats } from "./events/nats.ts";
import { createFunctionsService } from "./functions/service.ts";
import { createImagePresence } from "./images/presence.ts";
import { createImagesService } from "./images/service.ts";
import { createOutbox } from "./outbox/outbox.ts";
import { createPlatformService } from "./platform/service.ts";
import { createRecordImport } from "./registries/import.ts";
import { createRegistries, repositoriesUnder } from "./registries/registries.ts";
import { createRunsService } from "./runs/service.ts";
import { createSealer } from "./secrets/seal.ts";
import { createSecretsService } from "./secrets/service.ts";
import { createShellsService } from "./shells/service.ts";
import { sweepUntil } from "./sweep.ts";
import { callersOf } from "./tokens.ts";
import { createStoredValues, type StoredValues } from "./values/values.ts";

export interface ControlPlane {
  readonly services: Services;
  readonly packs: Packs;
  readonly values: StoredValues;
  readonly lines: Lines;
  /** Who shows that token; null when nobody does. */
  readonly callerOf: (authorization: string | undefined) => Caller | null;
  /** Throws when Postgres or NATS does not answer. */
  readonly checkHealth: () => Promise<void>;
  /** Ends the sweep, sends what can be sent, and closes all connections. */
  stop(): Promise<void>;
}

const LEASE_CONNECTIONS = 2;
const CALL_CONNECTIONS = 8;

/** Brings the database to the schema of this release, connects, and begins to sweep. */
export async function startControlPlane(config: Config, logger: Logger): Promise<ControlPlane> {
  const applied = await deployMigrations(config.databaseUrl);
  if (applied.length > 0) logger.info({ applied }, "migrated the database");
  const connection = await connectNats({ ...config.nats, name: "lamina-control-plane" });
  const nats = await openNats(connection, catalogue(config.namespace));
  await nats.ensureStreams();

  const database = connectDatabase(config.databaseUrl);
  const leases = connectDatabase(config.databaseUrl, { connections: LEASE_CONNECTIONS });
  const callStatements = connectStatements(config.databaseUrl, { connections: CALL_CONNECTIONS, logger });
  const registries = createRegistries(config);
  const repositories = repositoriesUnder(config.repositoryPrefix);
  const pythonBases = createPythonBases({ config, keptIn: repositories.pythonBases, registries, logger });
  const outbox = createOutbox({ database, logger, nats, registries });
  const stopping = new AbortController();
  const targets = createTargets();
  connection.subscribe(nats.catalogue.functionsChanged, { callback: () => targets.forget() });
  nats.onReconnect(() => targets.forget(), stopping.signal);
  const toldEnds = createToldEnds({ statements: callStatements, logger, onReplaced: () => targets.forget(), signal: stopping.signal });
  const lines = createLines({ logger, signal: stopping.signal });
  const context: Context = {
    config,
    logger,
    database,
    leases,
    callStatements,
    nats,
    registries,
    repositories,
    bases: createBases({ database, registries, pythonBases, scratchIn: repositories.scratch, config }),
    recordImport: createRecordImport({ database, registries, repositories, logger }),
    imagePresence: createImagePresence({ registries, repositories, logger }),
    sealer: createSealer(config.secretKey),
    feeds: createFeedReader({ nats, database, logger }),
    callWaiters: createCallWaiters({ nats, statements: callStatements, logger, signal: stopping.signal }),
    unrecordedCalls: createUnrecordedCalls(toldEnds),
    lines,
    paces: createPaces(),
    targets,
    toldEnds,
    wakeOutbox: () => outbox.wake(),
  };
  const sweeping = sweepUntil(context, stopping.signal);

  return {
    services: {
      platform: createPlatformService(context),
      images: createImagesService(context),
      contexts: createContextsService(context),
      builds: createBuildsService(context),
      secrets: createSecretsService(context),
      runs: createRunsService(context),
      attempts: createAttemptsService(context),
      apps: createAppsService(context),
      calls: createCallsService(context),
      functions: createFunctionsService(context),
      shells: createShellsService(context),
    },
    packs: createPacks(context),
    values: createStoredValues(nats),
    lines,
    callerOf: callersOf(config),
    checkHealth: async () => {
      await Promise.all([database.$queryRaw`SELECT 1`, connection.flush()]);
    },
    async stop() {
      stopping.abort();
      // What cannot be recorded now is in the log.
      await Promise.all([sweeping, toldEnds.recorded().catch(() => undefined)]);
      await outbox.idle();
      await connection.close();
      await Promise.all([database.$disconnect(), leases.$disconnect(), callStatements[Symbol.asyncDispose]()]);
    },
  };
}
