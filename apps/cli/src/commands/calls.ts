import { readConfig } from "../config.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";
import { firstThatFits } from "../view/columns.ts";
import { durationText, listedTime } from "../view/text.ts";

const COLUMNS = ["CALL", "STATE", "CREATED", "TOOK", "FUNCTION"];
/** Enough of the end of an id to name a call by. */
const SHORT_ID = 12;

export interface CallsOptions {
  readonly app: string | undefined;
  readonly limit: number;
  readonly output: Output;
}

/** Lists the latest calls, of all apps or of one. On a terminal that is too narrow for their ids those are shown in short. */
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
    return [id, state, listedTime(createdAt, output), took, [name, fn, method].filter((part) => part !== undefined).join(".")];
  });
  const short = rows.map(([id = "", ...others]) => [id.slice(-SHORT_ID), ...others]);
  for (const line of firstThatFits(
    [
      [COLUMNS, ...rows],
      [COLUMNS, ...short],
    ],
    output.columns,
  ))
    output.result(line);
}
