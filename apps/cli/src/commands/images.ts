import { readConfig } from "../config.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";
import { firstThatFits } from "../view/columns.ts";
import { bytesText, listedTime } from "../view/text.ts";

const COLUMNS = ["IMAGE", "LAYERS", "SIZE", "CREATED", "NAME", "REFERENCE"];

/** Lists the images of the workspace. On a terminal that is too narrow for references they are left out: the ids do as well. */
export async function images({ output }: { readonly output: Output }): Promise<void> {
  const client = await connect(readConfig(), output);
  const all = await client.images.list();
  if (output.json) {
    for (const image of all) output.event({ type: "image", ...image });
    return;
  }
  if (all.length === 0) return output.note("No image was built yet.");
  const rows = all.map((image) => [
    image.id.slice(0, 12),
    String(image.layers),
    bytesText(image.bytes),
    listedTime(image.createdAt, output),
    image.name ?? "",
    image.ref,
  ]);
  const table = [COLUMNS, ...rows];
  for (const line of firstThatFits([table, table.map((row) => row.slice(0, -1))], output.columns)) output.result(line);
}
