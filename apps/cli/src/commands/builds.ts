import { readConfig } from "../config.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";
import { firstThatFits } from "../view/columns.ts";
import { durationText, listedTime } from "../view/text.ts";

const COLUMNS = ["BUILD", "STATE", "IMAGE", "CREATED", "TOOK", "NAME"];
/** Enough of the end of an id to name a build by. */
const SHORT_ID = 12;

/** Lists the latest builds. On a terminal that is too narrow for their ids those are shown in short. */
export async function builds({ limit, output }: { readonly limit: number; readonly output: Output }): Promise<void> {
  const client = await connect(readConfig(), output);
  const all = await client.builds.list(limit);
  if (output.json) {
    for (const build of all) output.event({ type: "build", ...build });
    return;
  }
  if (all.length === 0) return output.note("Nothing was built yet.");
  const rows = all.map(({ id, name, image, state, createdAt, endedAt }) => {
    const took = endedAt === undefined ? "" : durationText(Date.parse(endedAt) - Date.parse(createdAt));
    return [id, state, image.slice(0, 12), listedTime(createdAt, output), took, name ?? ""];
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
