/** Deployments that are short to write, and a runner that serves them as far as the control plane sees it. */
import { CallMessage, catalogue, type CallEnd, type EndedCall, JSON_VALUE, type Services, type Value } from "@lamina/api";
import { connectNats } from "@lamina/service";
import { AckPolicy, type JsMsg, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { v7 as uuid } from "uuid";
import { client, type TestControlPlane, type TestPlace, worker } from "./platform.ts";
import { chain, startBuild } from "./requests.ts";

type DeployInput = Parameters<Services["apps"]["deploy"]>[1];
type FunctionInput = DeployInput["functions"][number];

/** The image and the tree of code of a function that does nothing. */
export async function materials(platform: TestControlPlane): Promise<Pick<FunctionInput, "image" | "code">> {
  const { image } = await platform.services.builds.get(client, { id: await startBuild(platform, chain()) });
  const { tree } = await platform.services.contexts.commitTree(client, { entries: [] });
  return { image, code: tree };
}

export type Materials = Awaited<ReturnType<typeof materials>>;

export function functionOf(given: Materials, name: string, changes: Partial<FunctionInput> = {}): FunctionInput {
  return {
    ...given,
    name,
    entry: { language: "python", module: "app", name },
    gpu: [],
    cpu: 1,
    memoryMib: 128,
    timeoutSeconds: 60,
    minContainers: 0,
    maxContainers: 1,
    concurrency: 1,
    idleSeconds: 60,
    secrets: [],
    ...changes,
  };
}

export function deploy({ services }: TestControlPlane, functions: readonly FunctionInput[], changes: Partial<DeployInput> = {}) {
  return services.apps.deploy(client, { app: "shop", functions: [...functions], secrets: {}, ...changes });
}

export function jsonValue(value: unknown): Value {
  return { type: JSON_VALUE, data: JSON.stringify(value) };
}

export const inputOf = (...args: unknown[]): Value => jsonValue({ args, kwargs: {} });

type StartInput = Parameters<Services["calls"]["start"]>[1];

/** Starts calls of `shop`'s function `f`, without waiting for their ends. */
export async function startCalls({ services }: TestControlPlane, calls = 1, changes: Partial<StartInput> = {}): Promise<string[]> {
  const ids = Array.from({ length: calls }, () => uuid());
  await services.calls.start(client, {
    app: "shop",
    function: "f",
    calls: ids.map((id, index) => ({ id, input: inputOf(index) })),
    waitMs: 0,
    ...changes,
  });
  return ids;
}

/** Waits until all of these calls have ended. */
export async function endsOf({ services }: Pick<TestControlPlane, "services">, ids: readonly string[]): Promise<Map<string, CallEnd>> {
  const ends = new Map<string, CallEnd>();
  while (ends.size < ids.length) {
    const open = ids.filter((id) => !ends.has(id));
    const ended: EndedCall[] = await services.calls.wait(client, { ids: open, waitMs: 20_000, gatherMs: 0 }, new AbortController().signal);
    for (const { id, end } of ended) ends.set(id, end);
  }
  return ends;
}

export interface TakenCall {
  /** The first call of the message. */
  readonly id: string;
  readonly message: CallMessage;
  /** Counted from 1. */
  readonly delivery: number;
  /** Tells how its calls ended, and does with the message what the answer for the first says. */
  finish(end: Exclude<CallEnd, { state: "cancelled" }>, tookMs?: number): Promise<number | undefined>;
  readonly raw: JsMsg;
}

export interface FakeRunner extends AsyncDisposable {
  /** The next call that is delivered. */
  take(): Promise<TakenCall>;
  /** Ends calls with their inputs as they come, in batches, until disposed of. */
  serve(): void;
}

export const done = (value: unknown): Exclude<CallEnd, { state: "cancelled" }> => ({ state: "done", result: jsonValue(value) });
export const failed = (
  message = "boom",
  code: "CALL_FAILED" | "VALUE_UNREADABLE" = "CALL_FAILED",
): Exclude<CallEnd, { state: "cancelled" }> => ({
  state: "failed",
  error: { code, message },
});

/** A runner of one function version. */
export async function fakeRunner(
  { config, services }: TestPlace & Pick<TestControlPlane, "services">,
  functionId: string,
): Promise<FakeRunner> {
  const connection = await connectNats({ ...config.nats, name: "fake-runner" });
  const { calls } = catalogue(config.namespace);
  const manager = await jetstreamManager(connection);
  await manager.consumers.add(calls.stream, {
    durable_name: calls.consumer(functionId),
    filter_subject: calls.filter(functionId),
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(calls.ackWaitSeconds * 1000),
    max_ack_pending: 10_000,
  });
  const consumer = await jetstream(connection).consumers.get(calls.stream, calls.consumer(functionId));
  const messages = await consumer.consume({ max_messages: 1_000 });
  const iterator = messages[Symbol.asyncIterator]();
  const next = async (): Promise<JsMsg> => {
    const { value, done: ended } = await iterator.next();
    if (ended === true || value === undefined) throw new Error("The runner gets no calls any more.");
    return value;
  };
  type Finished = {
    readonly raw: JsMsg;
    readonly end: (input: Value) => Exclude<CallEnd, { state: "cancelled" }>;
    readonly tookMs?: number;
  };
  const finishAll = async (messages: readonly Finished[]) => {
    const told = messages.map(({ raw, end, tookMs }) =>
      CallMessage.parse(raw.json()).calls.map(({ id, input }) => ({
        id,
        delivery: raw.info.deliveryCount,
        startedAt: Date.now(),
        tookMs,
        end: end(input),
      })),
    );
    const answers = new Map(
      (await services.calls.finish(worker, { calls: told.flat() })).map(({ id, retryAfterMs }) => [id, retryAfterMs]),
    );
    return messages.map(({ raw }, index) => {
      const retryAfterMs = answers.get(told[index]?.[0]?.id ?? "");
      if (retryAfterMs === undefined) raw.ack();
      else raw.nak(retryAfterMs);
      return retryAfterMs;
    });
  };
  let flushing: Promise<void> = Promise.resolve();
  return {
    async take() {
      const raw = await next();
      const message = CallMessage.parse(raw.json());
      return {
        raw,
        id: message.calls[0]?.id ?? "",
        message,
        delivery: raw.info.deliveryCount,
        finish: async (end, tookMs) => (await finishAll([{ raw, end: () => end, ...(tookMs !== undefined && { tookMs }) }]))[0],
      };
    },
    serve() {
      let batch: JsMsg[] = [];
      const flush = async (): Promise<void> => {
        const now = batch;
        batch = [];
        if (now.length > 0) await finishAll(now.map((raw) => ({ raw, end: (result) => ({ state: "done", result }) })));
      };
      void (async () => {
        for (;;) {
          const message = await next();
          batch.push(message);
          flushing = flushing.then(flush);
        }
      })().catch(() => {});
    },
    async [Symbol.asyncDispose]() {
      messages.stop();
      await flushing;
      await connection.close();
    },
  };
}
