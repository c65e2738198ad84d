import { readConfig } from "../config.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";
import { columnsOf } from "../view/columns.ts";
import { durationText } from "../view/text.ts";

/** Lists the latest builds. */
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
    return [id, state, name ?? "", image.slice(0, 12), createdAt, took];
  });
  for (const line of columnsOf([["BUILD", "STATE", "NAME", "IMAGE", "CREATED", "TOOK"], ...rows])) output.result(line);
}
