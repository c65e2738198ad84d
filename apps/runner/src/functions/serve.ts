/** The functions of a pool, as this runner serves them. */
import { setTimeout as delay } from "node:timers/promises";
import { type ServedFunction, CallsCancelled, CallsQueued } from "@lamina/api";
import type { WorkerSurroundings } from "@lamina/service";
import { jetstream } from "@nats-io/jetstream";
import type { Msg, NatsConnection } from "@nats-io/transport-node";
import type { FunctionContainers } from "../engine/function-containers.ts";
import type { Code } from "./code.ts";
import type { Gpus } from "./gpus.ts";
import { openLine } from "./line.ts";
import { logWriter } from "./logs.ts";
import { outcomesTo } from "./outcomes.ts";
import { FunctionPool } from "./pool.ts";
import { type CallQueue, queuedCalls, takeCalls } from "./queue.ts";
import { startedReporter } from "./started.ts";
import { valuesOf } from "./values.ts";

export interface ServeOptions {
  readonly containers: FunctionContainers;
  readonly pool: string;
  readonly code: Code;
  readonly gpus: Gpus;
  readonly harness: string;
  readonly caBundle: string | undefined;
  /** Of the control plane, and the token for it. */
  readonly platform: { readonly url: string; readonly token: string };
  /** How long calls may go on after the signal. */
  readonly graceMs: number;
}

interface Served {
  readonly pool: FunctionPool;
  readonly queue: CallQueue;
}

const LOOK_MS = 10_000;
/** How long containers of what is not served any more may clean up; half of it where this process is to stop. */
const CLEAN_UP_MS = 6_000;
/** So long it is tried to tell what came last. */
const LAST_WORDS_MS = 1_000;

/** Serves until the signal; then calls that have begun may end, and the others are put back. */
export async function serveFunctions(options: ServeOptions, surroundings: WorkerSurroundings): Promise<void> {
  const { connection, catalogue, controlPlane, worker, logger, registryHost, signal } = surroundings;
  const { containers, code, gpus, harness, caBundle, platform, graceMs } = options;
  const served = new Map<string, Served>();
  const silent = new AbortController();
  // First who waits for them, then who would like to have them.
  const retryAll = (): void => {
    const pools = [...served.values()].map(({ pool }) => pool);
    for (const pool of pools.filter(({ waitsForGpus }) => waitsForGpus)) pool.dispatch();
    for (const pool of pools) pool.dispatch();
  };
  gpus.onFree(retryAll);
  const outcomes = outcomesTo({ controlPlane, logger, signal: silent.signal });
  const started = startedReporter({ runner: worker, controlPlane, logger });
  const values = valuesOf(connection, catalogue);
  const client = jetstream(connection);
  const line = openLine({
    ...platform,
    logger,
    signal: silent.signal,
    onOpen: () => served.forEach(({ pool }) => pool.permits.offerAll()),
    onFrame(frame, from) {
      const pools = [...served.values()].map(({ pool }) => pool);
      const { permit } = frame;
      if (frame.type === "kept") return pools.forEach(({ permits }) => permits.kept(permit));
      const isTaken = pools.some((pool) => pool.takeDirectly(permit, frame, from));
      if (!isTaken) from.send({ type: "back", permit, calls: frame.calls.map(({ id }) => id) });
    },
  });
  const shared = { containers, code, controlPlane, registryHost, harness, caBundle, signal, values, outcomes, started, line, gpus, logger };
  const onGpusWanted = (): void => {
    for (const { pool } of served.values()) if (!pool.waitsForGpus && pool.served.gpus > 0 && pool.spareContainer()) return;
  };
  gpus.onWanted(onGpusWanted);

  function begin(one: ServedFunction): void {
    logger.info({ function: one.name, app: one.appName, id: one.id }, "serves a function");
    const logs = logWriter({ jetstream: client, catalogue, app: one.app, logger, signal: silent.signal });
    const queued = () => queuedCalls({ connection, catalogue, functionId: one.id });
    const pool = new FunctionPool({ ...shared, served: one, logs, queued, onGpusWanted });
    served.set(one.id, { pool, queue: takeCalls({ connection, catalogue, controlPlane, pool, logger }) });
  }

  async function end(id: string, grace: AbortSignal, cleanUp: AbortSignal): Promise<void> {
    const one = served.get(id);
    if (one === undefined) return;
    served.delete(id);
    // Clean-up may import more of it.
    using _ = code.hold(one.pool.served.code);
    await one.queue.stop();
    await one.pool.stop(grace, cleanUp);
  }

  async function look(): Promise<void> {
    const functions = await controlPlane.functions.list({ pool: options.pool }, { signal });
    const wanted = new Map(functions.map((one) => [one.id, one]));
    for (const id of served.keys()) if (!wanted.has(id)) void end(id, AbortSignal.abort(), AbortSignal.timeout(CLEAN_UP_MS));
    for (const one of functions) {
      const known = served.get(one.id);
      if (known === undefined) begin(one);
      else known.pool.update(one);
    }
    await code.keepOnly(new Set([...functions.map((one) => one.code), ...[...served.values()].map(({ pool }) => pool.served.code)]));
  }

  let changed = Promise.withResolvers<void>();
  const changes = connection.subscribe(catalogue.functionsChanged, { callback: () => changed.resolve() });
  const queued = connection.subscribe(catalogue.callsQueued, {
    callback(_, message) {
      const { data } = CallsQueued.safeParse(parsed(message));
      if (data !== undefined) served.get(data.function)?.pool.queued(data.message);
    },
  });
  const cancels = connection.subscribe(catalogue.callsCancelled, {
    callback(_, message) {
      for (const id of cancelledCalls(message)) for (const { pool } of served.values()) pool.cancel(id);
    },
  });
  const alive = setInterval(
    () => {
      for (const { pool } of served.values()) {
        for (const message of pool.messages) message.working();
        pool.permits.working();
      }
    },
    (catalogue.calls.ackWaitSeconds * 1000) / 3,
  );
  void giveUpOnReconnect(connection, () => served.forEach(({ pool }) => pool.permits.giveUpAll()));
  try {
    while (!signal.aborted) {
      const next = changed.promise;
      await look().catch((error: unknown) => {
        if (!signal.aborted) logger.warn({ error: String(error) }, "it is not known which functions to serve");
      });
      const rest = new AbortController();
      await Promise.race([next, delay(LOOK_MS, undefined, { signal: AbortSignal.any([signal, rest.signal]) }).catch(() => undefined)]);
      rest.abort();
      changed = Promise.withResolvers();
    }
    changes.unsubscribe();
    queued.unsubscribe();
    const grace = AbortSignal.timeout(graceMs);
    const cleanUp = AbortSignal.timeout(graceMs + CLEAN_UP_MS / 2);
    setTimeout(() => silent.abort(), graceMs + CLEAN_UP_MS / 2 + LAST_WORDS_MS).unref();
    await Promise.all([...served.keys()].map((id) => end(id, grace, cleanUp)));
  } finally {
    cancels.unsubscribe();
    clearInterval(alive);
    silent.abort();
  }
}

/** What NATS was told, or has delivered elsewhere, while the connection was away is not known here. */
async function giveUpOnReconnect(connection: NatsConnection, giveUp: () => void): Promise<void> {
  for await (const { type } of connection.status()) if (type === "reconnect" || type === "disconnect") giveUp();
}

function cancelledCalls(message: Msg): readonly string[] {
  // What is not of ours says nothing that is not recorded.
  return CallsCancelled.safeParse(parsed(message)).data?.calls ?? [];
}

function parsed(message: Msg): unknown {
  try {
    return message.json();
  } catch {
    return undefined;
  }
}
