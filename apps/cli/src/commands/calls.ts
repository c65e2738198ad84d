import { readConfig } from "../config.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";
import { columnsOf } from "../view/columns.ts";
import { durationText } from "../view/text.ts";

export interface CallsOptions {
  readonly app: string | undefined;
  readonly limit: number;
  readonly output: Output;
}

/** Lists the latest calls, of all apps or of one. */
export async function calls({ app, limit, output }: CallsOptions): Promise<void> {
  const client = await connect(readConfig(), output);
  const all = await client.calls.list({ app, limit });
  if (output.json) {
    for (const { end: _, ...call } of all) output.event({ type: "call", ...call });
    return;
  }
  if (all.length === 0) return output.note("Nothing was called yet.");
  const rows = all.map(({ id, state, app: name, function: fn, method, createdAt, endedAt }) => {
    const took = endedAt === undefined ? "" : durationText(Date.parse(endedAt) - Date.parse(createdAt));
    return [id, state, [name, fn, method].filter((part) => part !== undefined).join("."), createdAt, took];
  });
  for (const line of columnsOf([["CALL", "STATE", "FUNCTION", "CREATED", "TOOK"], ...rows])) output.result(line);
}
