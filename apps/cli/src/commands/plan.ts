import { planImage } from "lamina";
import { readConfig } from "../config.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";
import { loadImages, parseTarget } from "../user-file/load.ts";
import { detailsOf } from "../view/details.ts";
import { columnsOf, fit } from "../view/columns.ts";
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
    output.result(`${name} ${id}`);
    output.result(`  from ${base.reference}`);
    const rows = layers.map(({ operation, status, bytes }, index) => [
      `  ${index}`,
      operation,
      status === "hit" ? "hit" : "to build",
      bytesText(bytes),
      details[index] ?? "",
    ]);
    for (const line of columnsOf(rows)) output.result(output.columns === undefined ? line : fit(line, output.columns));
    const missing = layers.filter(({ status }) => status === "missing").length;
    const sent = upload.files === 0 ? "nothing" : `${countText(upload.files, "file")} (${bytesText(upload.bytes)})`;
    output.result(`  ${layers.length - missing} hit, ${missing} to build, ${sent} to send`);
  }
}
