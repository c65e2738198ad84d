import { readConfig } from "../config.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";
import { columnsOf } from "../view/columns.ts";
import { bytesText } from "../view/text.ts";

/** Lists the images of the workspace. */
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
    image.name ?? "",
    String(image.layers),
    bytesText(image.bytes),
    image.createdAt,
    image.ref,
  ]);
  for (const line of columnsOf([["IMAGE", "NAME", "LAYERS", "SIZE", "CREATED", "REFERENCE"], ...rows])) output.result(line);
}
