/** What is called: a function of an app, and the platform that it is on. */
import { LaminaError } from "@lamina/api";
import { type Client, connect } from "../client/client.ts";
import { asLaminaError } from "../failure.ts";

export interface Target {
  /** The name of an app, or the id of one that is for the moment; asked at each call. */
  readonly app: () => string;
  readonly function: string;
  readonly method?: string | undefined;
}

let shared: Promise<Client> | undefined;

/** The client of this process's calls, which keeps its connection. */
export function sharedClient(): Promise<Client> {
  shared ??= connect().catch((error: unknown) => {
    shared = undefined;
    throw error;
  });
  return shared;
}

/** The error with what to do about it, where the app or the function is not there; another one as it is. */
export function aboutTarget(thrown: unknown, { app, function: name }: Target): unknown {
  const known = asLaminaError(thrown);
  if (known?.code === "UNREACHABLE") shared = undefined;
  if (known?.code !== "NOT_FOUND") return thrown;
  const message = `There is no function ${name} of an app ${app()} that runs. Deploy it with \`lamina deploy FILE\`, or call it within app.run(). The platform says: ${known.message}`;
  return new LaminaError({ ...known.info, message }, { cause: known });
}
