/** What the functions of an app for the moment write, told while it is there. */
import type { LogBatch } from "@lamina/api";
import type { Client } from "../client/client.ts";

export interface SessionLogs {
  /** Tells of what was written until now, and of nothing after that. */
  end(): Promise<void>;
}

/** Begins to tell of each batch of lines, once. */
export function tellLogs(client: Client, app: string, onLog: (batch: LogBatch) => void): SessionLogs {
  const stop = new AbortController();
  let after: string | undefined;
  const tell = async (follow: boolean, signal?: AbortSignal) => {
    const onCursor = (cursor: string) => (after = cursor);
    for await (const batch of client.calls.logs({ of: { kind: "app", app }, follow }, { after, onCursor, signal })) onLog(batch);
  };
  const telling = tell(true, stop.signal);
  // Thrown by end().
  telling.catch(() => undefined);
  return {
    async end() {
      stop.abort();
      await telling;
      await tell(false);
    },
  };
}
