import { type AppInfo, LaminaError, type ParameterNames } from "lamina";
import { readConfig } from "../config.ts";
import { awaitCall, type Calling } from "../functions/await-call.ts";
import { inputOf } from "../functions/input.ts";
import { placedInput } from "../functions/named.ts";
import { onInterrupt } from "../interrupt.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";

export interface CallOptions {
  /** APP.FUNCTION, for a class APP.CLASS.METHOD. */
  readonly name: string;
  readonly args: readonly string[];
  readonly output: Output;
}

interface Deployed extends Calling {
  readonly language: AppInfo["functions"][number]["language"];
  readonly parameters: ParameterNames | undefined;
}

/** Calls a function of an app that is deployed. */
export async function call({ name, args, output }: CallOptions): Promise<void> {
  const given = inputOf(args);
  const client = await connect(readConfig(), output);
  using interruption = onInterrupt();
  const { language, parameters, ...calling } = chosen(name, await client.apps.list());
  const input = language === "python" ? given : placedInput(given, parameters);
  await awaitCall(calling, input, { client, output, signal: interruption.signal });
}

/** Names of apps and of functions may have dots, so that they are told apart by what there is. */
function chosen(name: string, apps: readonly AppInfo[]): Deployed {
  const all = apps
    .filter(({ state }) => state === "active")
    .flatMap(({ name: app, functions }) =>
      functions.flatMap(({ name: fn, language, methods = [undefined], parameters }) =>
        methods.map((method: string | undefined) => ({
          text: method === undefined ? `${app}.${fn}` : `${app}.${fn}.${method}`,
          deployed: { app, function: fn, method, language, parameters: parameters?.[method ?? fn] },
        })),
      ),
    );
  const found = all.find(({ text }) => text === name);
  if (found !== undefined) return found.deployed;
  const there =
    all.length === 0 ? "Nothing is deployed: `lamina deploy FILE` does that." : `There are: ${all.map(({ text }) => text).join(", ")}`;
  throw new LaminaError({ code: "NOT_FOUND", message: `There is no function "${name}". ${there}` });
}
