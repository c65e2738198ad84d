/** The cursor of a build's feed: how far it was read in the build's own events and in those of each attempt. */
import { badInput } from "@lamina/api";
import { z } from "zod";

const Positions = z.object({ own: z.int().min(0), attempts: z.record(z.string(), z.int().min(0)) });
export type Positions = z.infer<typeof Positions>;

export function encodeCursor(positions: Positions): string {
  return Buffer.from(JSON.stringify(positions)).toString("base64url");
}

/** Without a cursor the feed is read from its first event. @throws {LaminaError} INVALID_INPUT */
export function decodeCursor(cursor: string | undefined): Positions {
  if (cursor === undefined) return { own: 0, attempts: {} };
  try {
    return Positions.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
  } catch (cause) {
    throw badInput("invalid-request", "The cursor is none of this feed's.", { cause });
  }
}
