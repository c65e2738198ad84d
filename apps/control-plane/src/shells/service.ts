/**
 * Shells. Nothing of them is kept here: a runner of the pool takes one, and from then on this process carries messages to it and events
 * back, as any other replica does.
 */
import { badInput, LaminaError, type OpenShellInput, type Services, type ShellRequest } from "@lamina/api";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { Context } from "../context.ts";
import { followShell } from "./follow.ts";
import { answerOf, shellRunner } from "./runner.ts";
import { placeOf } from "./target.ts";

/** So long a pool may be without a runner, as when its only one starts again. */
const NO_RUNNER_MS = 5_000;
const RETRY_MS = 250;

export function createShellsService(context: Context): Services["shells"] {
  const { connection, catalogue } = context.nats;
  const runnerOf = (workspace: string, id: string) => shellRunner(connection, catalogue.shells.messages(workspace, id));

  /** Resolves when a runner has it. */
  async function open(workspace: string, { id, of, command, terminal }: OpenShellInput): Promise<void> {
    const place = await placeOf(context, workspace, of);
    const request = JSON.stringify({ id, workspace, of: place.of, command, terminal } satisfies ShellRequest);
    const runner = runnerOf(workspace, id);
    const begun = performance.now();
    // One that was asked for already, though no answer came, is not opened twice.
    while (!(await runner.isThere())) {
      const answer = await answerOf(connection, catalogue.shells.requests(place.pool), request);
      if (typeof answer !== "string" && answer.taken) return;
      if (performance.now() - begun > NO_RUNNER_MS) throw noRunner(place.pool);
      await delay(RETRY_MS);
    }
  }

  return {
    open: ({ workspace }, input) => open(workspace, input),
    write: ({ workspace }, { id, ...input }) => runnerOf(workspace, id).ask({ type: "write", ...input }),
    async resize({ workspace }, { id, columns, rows }) {
      await runnerOf(workspace, id).ask({ type: "resize", columns, rows });
    },
    async seen({ workspace }, { id, event }) {
      await runnerOf(workspace, id).ask({ type: "seen", event });
    },
    async close({ workspace }, { id }) {
      const runner = runnerOf(workspace, id);
      if (await runner.isThere()) await runner.ask({ type: "close" });
    },
    follow: ({ workspace }, { id, lastEventId }, signal) =>
      followShell({
        connection,
        runner: runnerOf(workspace, id),
        subject: catalogue.shells.events(workspace, id),
        after: positionOf(lastEventId),
        signal,
      }),
  };
}

/** The cursor is the number of the last event that was seen. */
function positionOf(cursor: string | null | undefined): number {
  if (cursor === null || cursor === undefined) return 0;
  const position = z.coerce.number().int().min(0).safeParse(cursor);
  if (!position.success) throw badInput("invalid-request", "The cursor is none of this shell's.");
  return position.data;
}

function noRunner(pool: string): LaminaError {
  const message = `No runner of the pool ${pool} is there to open a shell. \`lamina status\` says which there are.`;
  return new LaminaError({ code: "POOL_UNAVAILABLE", message });
}
