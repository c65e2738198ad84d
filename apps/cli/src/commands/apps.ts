import { readConfig } from "../config.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";
import { tableIn } from "../view/columns.ts";
import { listedTime } from "../view/text.ts";

/** Lists the apps that were deployed. */
export async function apps({ output }: { readonly output: Output }): Promise<void> {
  const client = await connect(readConfig(), output);
  const all = await client.apps.list();
  if (output.json) {
    for (const { app: id, ...app } of all) output.event({ type: "app", id, ...app });
    return;
  }
  if (all.length === 0) return output.note("Nothing was deployed yet.");
  const rows = all.map(({ name, state, version, pending, deployedAt, functions }) => [
    name,
    state,
    String(version),
    String(pending),
    listedTime(deployedAt, output),
    functions.map((fn) => fn.name).join(" "),
  ]);
  const table = [["APP", "STATE", "VERSION", "PENDING", "DEPLOYED", "FUNCTIONS"], ...rows];
  for (const line of tableIn(table, output.columns)) output.result(line);
}
