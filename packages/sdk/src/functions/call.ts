/** Calls: starting one, waiting for its end, and what is left of it. */
import { badInput, type CallEnd, LaminaError, type StartCallsInput } from "@lamina/api";
import { v7 as newId } from "uuid";
import { z } from "zod";
import type { CallOptions, Client } from "../client/client.ts";
import { parseOptions } from "../options.ts";
import { callSite } from "../source.ts";
import { type Input, receiveValue, sendInput } from "../values/transfer.ts";
import { errorOf } from "./exception.ts";
import { aboutTarget, sharedClient, type Target } from "./target.ts";

/** The longest that one question waits for an answer. */
const WAIT_MS = 20_000;

export interface GetOptions {
  /** Seconds to wait for the end of the call; without it as long as it takes. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}
const GetOptions = z.strictObject({
  timeout: z.number({ error: "must be a number of seconds" }).min(0, "must be 0 or more").optional(),
  signal: z.instanceof(AbortSignal).optional(),
});

/** A call that was started, by this process or another. */
export class Call<Result = unknown> {
  readonly id: string;
  readonly #client: () => Promise<Client>;

  /** @internal */
  constructor(id: string, client: () => Promise<Client> = sharedClient) {
    this.id = id;
    this.#client = client;
  }

  /** A call by the id that another process has of it. @throws INVALID_INPUT for what is no such id */
  static fromId<Result = unknown>(id: string): Call<Result> {
    if (!z.uuid({ version: "v7" }).safeParse(id).success)
      throw badInput("invalid-argument", `Call.fromId: "${id}" is no id of a call`, { source: callSite() });
    return new Call<Result>(id);
  }

  /**
   * What the call gives, as soon as it has ended.
   * @throws what the function threw; LaminaError for why the platform ended it; CALL_TIMED_OUT when it has not ended in the time to wait, and goes on
   */
  async get(options: GetOptions = {}): Promise<Result> {
    const { timeout, signal } = parseOptions(GetOptions, options, { method: "Call.get", source: callSite() });
    const client = await this.#client();
    const until = timeout === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeout * 1_000;
    const end = await endOf(client, this.id, { until, signal });
    if (end === undefined) {
      throw new LaminaError({
        code: "CALL_TIMED_OUT",
        message: `The call ${this.id} has not ended within ${timeout} seconds. It goes on.`,
      });
    }
    return resultOf<Result>(client, end, { signal });
  }

  /** Ends the call, if it has not ended. */
  async cancel(): Promise<void> {
    await (await this.#client()).calls.cancel([this.id]);
  }
}

/** Starts a call and gives what comes of it: one request, where the call ends in a moment. */
export async function callNow<Result>(target: Target, input: Input): Promise<Result> {
  const client = await sharedClient();
  const id = newId();
  const ended = await startCalls(client, target, { calls: [{ id, input: await sendInput(client, input) }], waitMs: WAIT_MS });
  const end = ended[0]?.end ?? (await endOf(client, id, { until: Number.POSITIVE_INFINITY }));
  if (end === undefined) throw new TypeError("a call that is waited for without a limit has an end");
  return resultOf<Result>(client, end);
}

/** Starts a call, and does not wait for its end. */
export async function spawnCall<Result>(target: Target, input: Input, client?: Client): Promise<Call<Result>> {
  const used = client ?? (await sharedClient());
  const id = newId();
  await startCalls(used, target, { calls: [{ id, input: await sendInput(used, input) }] });
  return new Call<Result>(id, client === undefined ? sharedClient : async () => used);
}

/** @throws NOT_FOUND with what to do about it */
export async function startCalls(client: Client, target: Target, input: Pick<StartCallsInput, "calls" | "waitMs" | "gatherMs">) {
  const { function: name, method } = target;
  try {
    return await client.calls.start({ app: target.app(), function: name, ...(method !== undefined && { method }), ...input });
  } catch (error) {
    throw aboutTarget(error, target);
  }
}

/** What the end of a call comes to. The type is what the caller says of the function, which nobody can check. */
export async function resultOf<Result>(client: Client, end: CallEnd, options?: CallOptions): Promise<Result> {
  if (end.state === "failed") throw errorOf(end.error);
  if (end.state === "cancelled") throw new LaminaError({ code: "CANCELLED", message: "The call was cancelled." });
  return z.custom<Result>().parse(await receiveValue(client, end.result, options));
}

async function endOf(
  client: Client,
  id: string,
  { until, signal }: { readonly until: number; readonly signal?: AbortSignal | undefined },
): Promise<CallEnd | undefined> {
  for (;;) {
    const left = Math.max(0, until - performance.now());
    const [ended] = await client.calls
      .wait({ ids: [id], waitMs: Math.min(WAIT_MS, Math.ceil(left)) }, { signal })
      .catch((error: unknown) => {
        throw signal?.aborted === true
          ? new LaminaError({ code: "CANCELLED", message: `Nobody waits for the call ${id} any more.` })
          : error;
      });
    if (ended !== undefined) return ended.end;
    if (left === 0) return undefined;
  }
}
