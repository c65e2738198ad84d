/** Functions as they are called from elsewhere. */
import { z } from "zod";
import { type Call, callNow, spawnCall } from "./call.ts";
import { type Inputs, mapCalls, type MapOptions } from "./map.ts";
import type { Target } from "./target.ts";

export type Handler = (...args: never[]) => unknown;
/** A function of which nothing is known. */
export type AnyHandler = (...args: unknown[]) => unknown;
export type ResultOf<H extends Handler> = Awaited<ReturnType<H>>;

export interface RemoteFunction<H extends Handler = AnyHandler> {
  /**
   * Calls the function in its container, and gives what it gives.
   * @throws what it threw, by name, with the stack from there; LaminaError for why the platform could not call it
   */
  remote(...args: Parameters<H>): Promise<ResultOf<H>>;
  /** Calls the function once for each input, many at once. Leaving the loop cancels the calls that have not ended. */
  map<OnError = never>(inputs: Inputs<Parameters<H>[0]>, options?: MapOptions<OnError>): AsyncGenerator<ResultOf<H> | OnError, void, void>;
  /** Starts a call, and does not wait for its end. */
  spawn(...args: Parameters<H>): Promise<Call<ResultOf<H>>>;
}

export function remoteFunction<H extends Handler>(target: Target): RemoteFunction<H> {
  return {
    remote: (...args) => callNow(target, { args, kwargs: {} }),
    map: (inputs, options = {}) => mapCalls(target, inputs, options),
    spawn: (...args) => spawnCall(target, { args, kwargs: {} }),
  };
}

type MethodNames<C> = { [K in keyof C]: K extends "enter" | "exit" ? never : C[K] extends Handler ? K : never }[keyof C];

/** The methods of a class, as they are called from elsewhere. */
export type RemoteMethods<C> = { readonly [K in MethodNames<C>]: C[K] extends Handler ? RemoteFunction<C[K]> : never };

/** The methods of a class that is known. */
export function remoteMethods<C>(target: Target, names: readonly string[]): RemoteMethods<C> {
  return methodsAs<C>(Object.fromEntries(names.map((method) => [method, remoteFunction({ ...target, method })])));
}

/** Finds a method when it is asked for, of a class of which only the name is known. */
export function anyRemoteMethods<C>(target: Target): RemoteMethods<C> {
  const known = new Map<string, RemoteFunction>();
  const method = (name: string) => {
    const found = known.get(name) ?? remoteFunction({ ...target, method: name });
    known.set(name, found);
    return found;
  };
  return methodsAs<C>(
    new Proxy(
      {},
      // Whatever has a `then` is taken for a promise.
      { get: (_, name) => (typeof name === "string" && name !== "then" ? method(name) : undefined) },
    ),
  );
}

/** Which methods there are is said by the type of a class, and known here by name alone. */
function methodsAs<C>(methods: object): RemoteMethods<C> {
  return z.custom<RemoteMethods<C>>().parse(methods);
}
