/**
 * The last link of the client: a request for each call, at once. tRPC's own link of single calls would load Node's `fetch` to ask whether an
 * input is a form, and the one of batches waits a millisecond for others.
 */
import { type Router, RPC_PATH } from "@lamina/api";
import { type Operation, TRPCClientError, type TRPCLink } from "@trpc/client";
import { observable } from "@trpc/server/observable";
import { z } from "zod";
import { nodeFetch } from "./node-fetch.ts";
import type { PlatformAddress } from "./platform.ts";

/** What the router answers, as far as this end looks into it. */
const Answer = z.union([
  z.object({ result: z.object({ data: z.unknown().optional() }) }),
  z.object({ error: z.object({ message: z.string(), code: z.number(), data: z.unknown().optional() }) }),
]);

export function requestLink({ url, token }: PlatformAddress): TRPCLink<Router> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const endpoint = new URL(RPC_PATH, url).href;
  /** What was sent before: the context of an operation is the same each time that it is tried. */
  const sent = new WeakSet<object>();

  async function request(operation: Operation, signal: AbortSignal): Promise<z.infer<typeof Answer>> {
    const { type, path, context } = operation;
    const input = sent.has(context) ? sentAgain(operation) : operation.input;
    sent.add(context);
    const text = input === undefined ? undefined : JSON.stringify(input);
    if (type !== "query") {
      const response = await nodeFetch(`${endpoint}/${path}`, { method: "POST", headers, body: text, signal });
      return Answer.parse(await response.json());
    }
    const query = text === undefined ? "" : `?input=${encodeURIComponent(text)}`;
    const response = await nodeFetch(`${endpoint}/${path}${query}`, { headers, signal });
    return Answer.parse(await response.json());
  }

  return () =>
    ({ op }) =>
      observable((observer) => {
        const own = new AbortController();
        let isDone = false;
        const signal = op.signal == null ? own.signal : AbortSignal.any([op.signal, own.signal]);
        request(op, signal).then(
          (answer) => {
            isDone = true;
            if ("error" in answer) return observer.error(TRPCClientError.from(answer));
            observer.next({ result: answer.result });
            observer.complete();
          },
          (cause: unknown) => observer.error(TRPCClientError.from(cause instanceof Error ? cause : new Error(String(cause)))),
        );
        return () => {
          if (!isDone) own.abort();
        };
      });
}

/** Starting calls, of which no second one is to begin where the answer to the first time was lost. */
function sentAgain({ path, input }: Operation): unknown {
  return path === "calls.start" && typeof input === "object" ? { ...input, again: true } : input;
}
