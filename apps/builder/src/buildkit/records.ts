/**
 * BuildKit's records of solves. A BuildKit that keeps them has each on its disk with all of its output, in which a step
 * may have printed a secret. So solves with secrets carry a mark, by which their records are deleted.
 */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";

/** An option that no frontend knows, so that it changes nothing but the record. */
const MARK = "lamina.secrets-of";
const LOOK_AGAIN_MS = 250;

/** Runs `buildctl` and returns what it prints. */
export type CallBuildctl = (args: readonly string[]) => Promise<string>;

/** The argument that marks a solve. */
export function markedBy(mark: string): string {
  return `--opt=${MARK}=${mark}`;
}

/** Deletes the records with such a mark. A solve that has not ended is waited for, since its record is written in the end. */
export async function deleteRecords(call: CallBuildctl, isMeant: (mark: string) => boolean, signal: AbortSignal): Promise<void> {
  for (;;) {
    const records = (await markedRecords(call)).filter(({ mark }) => isMeant(mark));
    const ended = records.filter(({ hasEnded }) => hasEnded);
    for (const { ref } of ended) await call(["debug", "ctl", "--delete", ref]);
    if (ended.length === records.length) return;
    await delay(LOOK_AGAIN_MS, undefined, { signal });
  }
}

const Event = z.object({
  record: z.object({ Ref: z.string(), FrontendAttrs: z.record(z.string(), z.string()).default({}), CompletedAt: z.unknown() }),
});

async function markedRecords(call: CallBuildctl): Promise<{ ref: string; mark: string; hasEnded: boolean }[]> {
  const lines = (await call(["debug", "histories", "--format", "{{json .}}"])).split("\n").filter((line) => line !== "");
  return lines.flatMap((line) => {
    const { Ref: ref, FrontendAttrs, CompletedAt } = Event.parse(JSON.parse(line)).record;
    const mark = FrontendAttrs[MARK];
    return mark === undefined ? [] : [{ ref, mark, hasEnded: CompletedAt !== undefined }];
  });
}
