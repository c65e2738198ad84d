/** What the services share. */
import type { Logger } from "@lamina/service";
import type { Bases } from "./bases/bases.ts";
import type { UnrecordedCalls } from "./calls/unrecorded.ts";
import type { Lines } from "./calls/lines.ts";
import type { Paces } from "./calls/paces.ts";
import type { Targets } from "./calls/targets.ts";
import type { ToldEnds } from "./calls/told.ts";
import type { CallWaiters } from "./calls/waiters.ts";
import type { Config } from "./config.ts";
import type { Database } from "./database/database.ts";
import type { Statements } from "./database/statements.ts";
import type { FeedReader } from "./events/feed.ts";
import type { Nats } from "./events/nats.ts";
import type { ImagePresence } from "./images/presence.ts";
import type { RecordImport } from "./registries/import.ts";
import type { Registries, Repositories } from "./registries/registries.ts";
import type { Sealer } from "./secrets/seal.ts";

export interface Context {
  readonly config: Config;
  readonly logger: Logger;
  readonly database: Database;
  /** Connections for renewals alone, which must not wait behind transactions that wait for a workspace. */
  readonly leases: Database;
  readonly callStatements: Statements;
  readonly nats: Nats;
  readonly registries: Registries;
  readonly repositories: Repositories;
  readonly bases: Bases;
  readonly recordImport: RecordImport;
  readonly imagePresence: ImagePresence;
  readonly sealer: Sealer;
  readonly feeds: FeedReader;
  readonly callWaiters: CallWaiters;
  readonly unrecordedCalls: UnrecordedCalls;
  readonly lines: Lines;
  readonly paces: Paces;
  readonly targets: Targets;
  readonly toldEnds: ToldEnds;
  /** Sends what the outbox holds, at once. To be called after a commit that wrote to it. */
  readonly wakeOutbox: () => void;
}
