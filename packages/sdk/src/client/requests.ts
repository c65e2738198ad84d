/**
 * Calls of the router, a request each, at once. tRPC's own link of single calls would load Node's `fetch` to ask whether an input is a form,
 * and the one of batches waits a millisecond for others.
 */
import { type Router, RPC_PATH } from "@lamina/api";
import { TRPCClientError, type TRPCLink } from "@trpc/client";
import { observable } from "@trpc/server/observable";
import { z } from "zod";
import { nodeFetch, placeOf } from "./node-fetch.ts";
import type { PlatformAddress } from "./platform.ts";

export interface Request {
  readonly type: "query" | "mutation" | "subscription";
  /** Such as `calls.start`. */
  readonly path: string;
  readonly input: unknown;
  readonly signal?: AbortSignal | null | undefined;
}

/** @throws {TRPCClientError} what the router answers, or that it has not answered */
export type Send = (request: Request) => Promise<unknown>;

/** What the router answers, as far as this end looks into it. */
const Answer = z.object({
  result: z.object({ data: z.unknown().optional() }).optional(),
  error: z.object({ message: z.string(), code: z.number(), data: z.unknown().optional() }).optional(),
});

export function requestsTo({ url, token }: PlatformAddress): Send {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const endpoint = placeOf(new URL(RPC_PATH, url));
  return async ({ type, path, input, signal }) => {
    const text = input === undefined ? undefined : JSON.stringify(input);
    const isQuery = type === "query";
    const query = isQuery && text !== undefined ? `?input=${encodeURIComponent(text)}` : "";
    const body = isQuery ? {} : { method: "POST", body: text };
    let answer: z.infer<typeof Answer>;
    try {
      const place = { ...endpoint, path: `${RPC_PATH}/${path}${query}` };
      answer = Answer.parse(await (await nodeFetch(place, { ...body, headers, signal })).json());
    } catch (cause) {
      throw TRPCClientError.from(cause instanceof Error ? cause : new Error(String(cause)));
    }
    const { result, error } = answer;
    if (error !== undefined) throw TRPCClientError.from({ error });
    // Whatever else answers in the platform's place.
    if (result === undefined) throw TRPCClientError.from(new Error("the answer is none of the platform's"));
    return result.data;
  };
}

/** The last link of tRPC's client. */
export function requestLink(send: Send): TRPCLink<Router> {
  return () =>
    ({ op }) =>
      observable((observer) => {
        const own = new AbortController();
        let isDone = false;
        const signal = op.signal === null || op.signal === undefined ? own.signal : AbortSignal.any([op.signal, own.signal]);
        send({ ...op, signal }).then(
          (data) => {
            isDone = true;
            observer.next({ result: { data } });
            observer.complete();
          },
          (error: unknown) => {
            isDone = true;
            observer.error(TRPCClientError.from(error instanceof Error ? error : new Error(String(error))));
          },
        );
        return () => {
          if (!isDone) own.abort();
        };
      });
}
