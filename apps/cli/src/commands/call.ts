import { type AppInfo, LaminaError } from "lamina";
import { readConfig } from "../config.ts";
import { awaitCall, type Calling } from "../functions/await-call.ts";
import { inputOf } from "../functions/input.ts";
import { onInterrupt } from "../interrupt.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";

export interface CallOptions {
  /** APP.FUNCTION, for a class APP.CLASS.METHOD. */
  readonly name: string;
  readonly args: readonly string[];
  readonly output: Output;
}

/** Calls a function of an app that is deployed. */
export async function call({ name, args, output }: CallOptions): Promise<void> {
  const input = inputOf(args);
  const client = await connect(readConfig(), output);
  using interruption = onInterrupt();
  const calling = chosen(name, await client.apps.list());
  await awaitCall(calling, input, { client, output, signal: interruption.signal });
}

/** Names of apps and of functions may have dots, so that they are told apart by what there is. */
function chosen(name: string, apps: readonly AppInfo[]): Calling {
  const all = apps
    .filter(({ state }) => state === "active")
    .flatMap(({ name: app, functions }) =>
      functions.flatMap(({ name: fn, methods }): (Calling & { readonly text: string })[] =>
        methods === undefined
          ? [{ app, function: fn, method: undefined, text: `${app}.${fn}` }]
          : methods.map((method) => ({ app, function: fn, method, text: `${app}.${fn}.${method}` })),
      ),
    );
  const found = all.find(({ text }) => text === name);
  if (found !== undefined) return found;
  const there =
    all.length === 0 ? "Nothing is deployed: `lamina deploy FILE` does that." : `There are: ${all.map(({ text }) => text).join(", ")}`;
  throw new LaminaError({ code: "NOT_FOUND", message: `There is no function "${name}". ${there}` });
}
