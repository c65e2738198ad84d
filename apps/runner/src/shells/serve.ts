/** Shells, as this runner opens them: any that its pool is asked for. */
import { LaminaError, type ShellAnswer, ShellRequest } from "@lamina/api";
import type { WorkerSurroundings } from "@lamina/service";
import type { Msg } from "@nats-io/transport-node";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { ShellContext } from "./container.ts";
import { openShell, type Shell } from "./shell.ts";

export interface ServeShellsOptions extends Omit<ShellContext, "controlPlane" | "registryHost" | "signal"> {
  readonly pool: string;
}

/** So long it may take to tell that shells are ended, when this process is to stop. */
const LAST_WORDS_MS = 2_000;

/** Opens shells until the signal, which ends them. */
export async function serveShells({ pool, ...options }: ServeShellsOptions, surroundings: WorkerSurroundings): Promise<void> {
  const { connection, catalogue, logger, signal } = surroundings;
  const context: ShellContext = { ...options, ...surroundings };
  const open = new Set<Shell>();

  function take(request: ShellRequest): void {
    const shell = openShell(request, context, surroundings);
    open.add(shell);
    shell.gone.then(
      () => open.delete(shell),
      (error: unknown) => logger.error({ err: error, shell: request.id }, "a shell ended by a fault of ours"),
    );
  }

  const requests = connection.subscribe(catalogue.shells.requests(pool), {
    queue: catalogue.shells.queue,
    callback(error, message) {
      const request = error === null ? parsed(message) : undefined;
      if (request === undefined) logger.error({ error: String(error) }, "what was asked for is no shell");
      else take(request);
      message.respond(JSON.stringify({ taken: request !== undefined } satisfies ShellAnswer));
    },
  });
  if (!signal.aborted) await once(signal, "abort");
  requests.unsubscribe();
  for (const shell of open)
    shell.end(new LaminaError({ code: "SHELL_LOST", message: "The runner was stopped, and the shell with it. Open another." }));
  await Promise.race([Promise.all([...open].map(({ gone }) => gone)), delay(LAST_WORDS_MS, undefined, { ref: false })]);
}

function parsed(message: Msg): ShellRequest | undefined {
  try {
    return ShellRequest.parse(message.json());
  } catch {
    return undefined;
  }
}
