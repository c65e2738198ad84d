/** Apps for the moment: they are there while a process says so. */
import { badInput, EPHEMERAL_SECONDS, type LogBatch } from "@lamina/api";
import { v7 as newId } from "uuid";
import type { Client } from "../client/client.ts";
import type { AppState } from "./definition.ts";
import { deployApp, type DeployOptions } from "./deploy.ts";
import { tellLogs } from "./session-logs.ts";

/** An app for the moment. Disposing of it stops it. */
export interface Session extends AsyncDisposable {
  /** Its id. */
  readonly app: string;
  /** Ends its calls and containers. */
  stop(): Promise<void>;
}

export interface SessionOptions extends DeployOptions {
  /** Hears of the lines that functions write, as they come. */
  readonly onLog?: ((batch: LogBatch) => void) | undefined;
}

/** Thrice before the platform takes it for left behind. */
const KEEP_MS = (EPHEMERAL_SECONDS / 3) * 1_000;

/** Deploys an app for the moment; the calls of its functions go there until it is stopped. @throws INVALID_INPUT when it runs already */
export async function startSession(client: Client, state: AppState, options: SessionOptions = {}): Promise<Session> {
  if (state.session !== undefined) throw badInput("invalid-usage", `The app ${state.name} runs already: end that session first`);
  const id = newId();
  state.session = id;
  const keeping = setInterval(() => {
    client.apps.keep(id).catch((error: Error) => {
      process.emitWarning(`The platform cannot be told that the app ${state.name} is wanted still, and may end it: ${error.message}`);
    });
  }, KEEP_MS);
  keeping.unref();
  const forget = () => {
    clearInterval(keeping);
    if (state.session === id) state.session = undefined;
  };
  try {
    await deployApp(client, state, { ...options, ephemeral: id });
  } catch (error) {
    forget();
    throw error;
  }
  const logs = options.onLog && tellLogs(client, id, options.onLog);
  let stopping: Promise<void> | undefined;
  const end = async () => {
    try {
      await logs?.end();
    } finally {
      await client.apps.stop(id);
    }
  };
  const stop = () => {
    forget();
    return (stopping ??= end());
  };
  return { app: id, stop, [Symbol.asyncDispose]: stop };
}

/** Has an app for the moment while the body runs. */
export async function runInSession<T>(
  client: Client,
  state: AppState,
  { body, ...options }: SessionOptions & { readonly body: (session: Session) => T | PromiseLike<T> },
): Promise<T> {
  await using session = await startSession(client, state, options);
  return await body(session);
}
