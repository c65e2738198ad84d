/** The connection to Postgres, and transactions that outlive a restart of it. */
import { LaminaError } from "@lamina/api";
import { PrismaPg } from "@prisma/adapter-pg";
import { setTimeout as delay } from "node:timers/promises";
import { Prisma, PrismaClient } from "../generated/client.ts";

export type Database = PrismaClient;
export type Transaction = Prisma.TransactionClient;
/** Where a query may run: in a transaction or outside of one. */
export type Queryable = Database | Transaction;

export interface ConnectOptions {
  /** At most so many at once. */
  readonly connections?: number;
}

/** How long a connection may take to come about. */
export const CONNECT_MS = 5_000;

export function connectDatabase(url: string, { connections = 16 }: ConnectOptions = {}): Database {
  return new PrismaClient({
    adapter: new PrismaPg({ connectionString: url, max: connections, connectionTimeoutMillis: CONNECT_MS }),
    transactionOptions: { maxWait: 15_000, timeout: 30_000 },
  });
}

/**
 * Runs the work while this workspace's lock is held, which orders all changes to its builds and
 * attempts. The work is done again when Postgres went away in the middle, so it has to stand being
 * done twice: it may have been committed without an answer.
 */
export function inWorkspace<T>(database: Database, workspace: string, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  return underLock(database, `lamina ${workspace}`, work);
}

/** Runs the work while the lock of an app is held, which orders its deployments and its end. It has to stand being done twice. */
export function inApp<T>(
  database: Database,
  app: { readonly workspace: string; readonly foundBy: string },
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  return underLock(database, `lamina app ${app.workspace} ${app.foundBy}`, work);
}

function underLock<T>(database: Database, lock: string, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  return overOutages(() =>
    database.$transaction(async (transaction) => {
      await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${lock}, 0))`;
      return work(transaction);
    }),
  );
}

/**
 * Tries again for a while when Postgres cannot be reached, or ended the work for that of another.
 * @throws {LaminaError} UNREACHABLE when that did not help
 */
export async function overOutages<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isOutage(error)) throw error;
      if (tries >= OUTAGE_TRIES) throw outage(error);
      await delay(OUTAGE_DELAY_MS);
    }
  }
}

function outage(cause: unknown): LaminaError {
  const message =
    "The platform's database cannot be reached. Try again when it is back; `lamina status` says how the parts of the platform are.";
  return new LaminaError({ code: "UNREACHABLE", message }, { cause });
}

/** Ten seconds. */
const OUTAGE_TRIES = 40;
const OUTAGE_DELAY_MS = 250;

/** Prisma: cannot reach, timed out, closed the connection, no transaction to be had, conflict of transactions. */
const OUTAGE_CODES = ["P1001", "P1002", "P1017", "P2028", "P2034"];
/** Postgres: shutting down, starting up, deadlock, conflict of transactions. What the driver, the adapter and Postgres say where Prisma gives no code. */
const OUTAGE_TEXTS = [
  /ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT/,
  /57P0[123]|\b08\d{3}\b|terminating connection|the database system is/,
  /40P01|40001|deadlock detected|could not serialize access|TransactionWriteConflict/,
  /Connection terminated|not queryable|timeout exceeded when trying to connect/,
  /ConnectionClosed|DatabaseNotReachable|Can't reach database|Server has closed the connection/,
];

/** Whether the same work may succeed a little later: Postgres could not be reached, went away, or ended it for that of another. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof Prisma.PrismaClientKnownRequestError && OUTAGE_CODES.includes(error.code)) return true;
  return OUTAGE_TEXTS.some((text) => text.test(error.message)) || (error.cause !== undefined && isOutage(error.cause));
}
