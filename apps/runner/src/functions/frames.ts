/** Frames between the runner and a harness: a line of JSON, and as many bytes behind it as it says. harness/PROTOCOL.md has them all. */
import { RemoteException, ValueType } from "@lamina/api";
import { z } from "zod";

const Exception = RemoteException.omit({ pickled: true });
/** Whether the end of the call's output is marked in both pipes. */
const marked = z.boolean().default(true);
const HarnessFrame = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready") }),
  z.object({ type: z.literal("broken"), exception: Exception }),
  z.object({ type: z.literal("result"), call: z.string(), valueType: ValueType, marked }),
  z.object({ type: z.literal("error"), call: z.string(), exception: Exception, valueType: ValueType.optional(), marked }),
  z.object({ type: z.literal("unreadable"), call: z.string(), message: z.string(), marked }),
  z.object({ type: z.literal("log"), call: z.string(), stream: z.enum(["stdout", "stderr"]), lines: z.array(z.string()) }),
]);
export type HarnessFrame = z.infer<typeof HarnessFrame>;

/** A fault of the harness, or of who plays it, is not to take all memory. */
const LARGEST_BODY = 2 ** 30;
const Length = z.object({
  body: z.int().min(0).max(LARGEST_BODY).default(0),
});

export function encodeFrame(frame: object, body?: Uint8Array): Buffer {
  const head = Buffer.from(`${JSON.stringify(body === undefined ? frame : { ...frame, body: body.length })}\n`);
  return body === undefined ? head : Buffer.concat([head, body]);
}

/** Gives each frame as soon as it is whole. @returns what takes the bytes as they come; it throws for what is no frame */
export function frameReader(onFrame: (frame: HarnessFrame, body: Buffer) => void): (chunk: Buffer) => void {
  let chunks: Buffer[] = [];
  let received = 0;
  /** How many bytes there have to be before it is worth a look. */
  let wanted = 1;
  return (chunk) => {
    chunks.push(chunk);
    received += chunk.length;
    if (received < wanted) return;
    let bytes = chunks.length === 1 ? chunk : Buffer.concat(chunks);
    wanted = 1;
    for (;;) {
      const end = bytes.indexOf(10);
      if (end === -1) {
        if (bytes.length > LONGEST_LINE) throw new Error("a frame has no end");
        break;
      }
      const head: unknown = JSON.parse(bytes.toString("utf8", 0, end));
      const whole = end + 1 + Length.parse(head).body;
      if (bytes.length < whole) {
        wanted = whole;
        break;
      }
      onFrame(HarnessFrame.parse(head), bytes.subarray(end + 1, whole));
      bytes = bytes.subarray(whole);
    }
    chunks = bytes.length === 0 ? [] : [bytes];
    received = bytes.length;
  };
}

/** Log frames and exceptions are as long as what the user's code says. */
const LONGEST_LINE = 256 * 1024 * 1024;
