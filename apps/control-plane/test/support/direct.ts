/** A function whose calls may go past the queue, since a runner has a line and permits for it. */
import type { EndedCall, Services } from "@lamina/api";
import { v7 as uuid } from "uuid";
import { expect } from "vitest";
import { deploy, done, fakeRunner, functionOf, inputOf, type Materials, materials, startCalls, type TakenCall } from "./functions.ts";
import { fakeLine, type FakeLine } from "./line.ts";
import { client, testControlPlane, type TestControlPlane, type TestPlace, worker } from "./platform.ts";
import { type Queue, queueOf } from "./queue.ts";
import { serve } from "./serve.ts";

type StartInput = Parameters<Services["calls"]["start"]>[1];

interface Started {
  readonly ids: readonly string[];
  readonly id: string;
  /** What the start is answered with. */
  readonly answer: Promise<EndedCall[]>;
}

export interface LineWorld extends AsyncDisposable {
  readonly platform: TestControlPlane;
  readonly services: Services;
  readonly url: string;
  /** Of the version of `shop`'s function `f`. */
  readonly functionId: string;
  readonly materials: Materials;
  readonly line: FakeLine;
  /** The message of `f`'s queue that a runner keeps as its permit. */
  readonly permit: string;
  readonly queue: Queue;
  /** Takes what goes to the queue, but for the permit. */
  take(): Promise<TakenCall>;
  /** Ends what goes to the queue with their inputs as it comes. */
  serve(): void;
  /** Deploys functions, and resolves when this control plane has heard of it and knows `called`. @returns the ids of their versions */
  deploy(functions: Parameters<typeof deploy>[1], called: Pick<StartInput, "function" | "method">): Promise<string[]>;
  /** Starts calls of `f`, whose caller waits. */
  start(calls?: number, changes?: Partial<StartInput>): Started;
}

export interface LineWorldOptions {
  /** How long calls of `f` take, as far as is known. */
  readonly tookMs?: number;
  /** How many more permits are offered. */
  readonly morePermits?: readonly string[];
  readonly beside?: TestPlace;
}

/** A control plane, which has seen a call of `f`, with a permit that is offered. */
export async function lineWorld({ tookMs, morePermits = [], beside }: LineWorldOptions = {}): Promise<LineWorld> {
  await using cleanUp = new AsyncDisposableStack();
  const platform = cleanUp.use(await testControlPlane(beside === undefined ? {} : { beside }));
  const { services, config } = platform;
  const server = cleanUp.use(await serve(platform));
  const given = await materials(platform);
  const deployAnd: LineWorld["deploy"] = async (functions, called) => {
    const deployed = await deploy(platform, functions);
    // Word of it makes a control plane forget what it knows of functions.
    await expect.poll(() => platform.sql("SELECT FROM outbox_message")).toEqual([]);
    await platform.checkHealth();
    await startCalls(platform, 1, called);
    return deployed.functions.map(({ id }) => id);
  };
  const [functionId = ""] = await deployAnd([functionOf(given, "f")], { function: "f" });
  const runner = cleanUp.use(await fakeRunner(platform, functionId));
  const { id: permit } = await runner.take();
  await services.calls.finish(worker, { calls: [{ id: permit, delivery: 1, tookMs, end: done("by the queue") }] });
  const line = cleanUp.use(await fakeLine(server.url, config.tokens.worker));
  await line.offer(functionId, permit, ...morePermits);
  const queue = cleanUp.use(await queueOf(platform, functionId));
  const owned = cleanUp.move();
  return {
    platform,
    services,
    url: server.url,
    functionId,
    materials: given,
    line,
    permit,
    queue,
    deploy: deployAnd,
    serve: () => runner.serve(),
    async take() {
      for (;;) {
        const taken = await runner.take();
        if (taken.id !== permit) return taken;
        taken.raw.working();
      }
    },
    start(count = 1, changes = {}) {
      const calls = changes.calls ?? Array.from({ length: count }, (_, index) => ({ id: uuid(), input: inputOf(index) }));
      const answer = services.calls.start(client, { app: "shop", function: "f", waitMs: 20_000, ...changes, calls });
      const ids = calls.map(({ id }) => id);
      return { ids, id: ids[0] ?? "", answer };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** An input of `calls.start` that asks for the same calls as before. */
export function again(...ids: readonly string[]): Partial<StartInput> {
  return { again: true, calls: ids.map((id) => ({ id, input: inputOf(0) })) };
}
