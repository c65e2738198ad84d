import { planImage } from "lamina";
import { readConfig } from "../config.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";
import { loadImages, parseTarget } from "../user-file/load.ts";
import { detailsOf } from "../view/details.ts";
import { hangingTable } from "../view/columns.ts";
import { bytesText, countText } from "../view/text.ts";

export interface PlanOptions {
  /** FILE or FILE#export. */
  readonly file: string;
  readonly pull: boolean;
  readonly output: Output;
}

/** Says what building the images of a file would make and send. */
export async function plan({ file, pull, output }: PlanOptions): Promise<void> {
  const images = await loadImages(parseTarget(file));
  const client = await connect(readConfig(), output);
  for (const { name, image } of images) {
    const { image: id, base, layers, upload } = await planImage(client, image, { pull });
    if (output.json) {
      output.event({ type: "plan", name, id, base: base.reference, layers, upload });
      continue;
    }
    const details = detailsOf(image);
    output.say(`${name} ${id}`);
    // Not broken, since it may be copied.
    output.result(`  from ${base.reference}`);
    const rows = layers.map(({ operation, status, bytes }, index) => [
      `  ${String(index).padStart(String(layers.length - 1).length)}`,
      operation,
      status === "hit" ? `hit ${bytesText(bytes)}` : "to build",
      details[index] ?? "",
    ]);
    for (const line of hangingTable(rows, output.columns)) output.result(line);
    const missing = layers.filter(({ status }) => status === "missing").length;
    const sent = upload.files === 0 ? "nothing" : `${countText(upload.files, "file")} (${bytesText(upload.bytes)})`;
    output.result(`  ${layers.length - missing} hit, ${missing} to build, ${sent} to send`);
  }
}
