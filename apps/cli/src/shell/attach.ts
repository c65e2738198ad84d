/** A shell that somebody sits at: from its request to its end. */
import { once } from "node:events";
import { type Client, laminaError, LaminaError, type OpenShellInput, type ShellEvent, UNSEEN_BYTES } from "lamina";
import type { Output } from "../output.ts";
import { showWaiting } from "../view/waiting.ts";
import { sendInput } from "./input.ts";
import { openTerminal, type Terminal } from "./terminal.ts";

export interface AttachOptions {
  readonly client: Client;
  readonly output: Output;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Of the terminal that the user sits at. */
  readonly terminalType: string | undefined;
}

/** What was seen is told when it is that much. */
const TELL_SEEN_BYTES = UNSEEN_BYTES / 4;
/** So long it is tried to tell the platform what it finds out by itself a little later. */
const LAST_WORDS_MS = 2_000;

export type ShellExit = Extract<ShellEvent, { type: "shell-exited" }>;

/** How its command ended; undefined when it was interrupted here. @throws {LaminaError} SHELL_LOST, SHELL_MISSING and what the platform says */
export async function attach(asked: Pick<OpenShellInput, "of" | "command">, options: AttachOptions): Promise<ShellExit | undefined> {
  const { client, output, signal, terminalType } = options;
  // With JSON, what comes is for a program.
  using terminal = output.json ? undefined : openTerminal(terminalType);
  using waiting = showWaiting(output);
  waiting.note("waiting for a runner");
  const id = await client.shells.open({ ...asked, ...(terminal !== undefined && { terminal: terminal.wanted }) }, { signal });
  using attended = attendance(id, { ...options, terminal });
  let end: ShellEvent | undefined;
  try {
    for await (const event of client.shells.follow(id, { signal: attended.signal, onCursor: attended.onCursor })) {
      if (output.json) output.event(event);
      switch (event.type) {
        case "shell-preparing":
          waiting.note(event.what);
          break;
        case "shell-started":
          waiting.clear();
          attended.start();
          break;
        case "shell-output":
          waiting.clear();
          if (!output.json) await show(event);
          attended.seen(event.data.length);
          break;
        case "shell-exited":
          end = event;
          return event;
        case "shell-failed":
          end = event;
          throw new LaminaError(event.error);
      }
    }
    if (attended.failure !== undefined) throw attended.failure;
    return undefined;
  } finally {
    if (end?.type !== "shell-exited") terminal?.reset();
    await attended.end(end !== undefined);
  }
}

/** Waits where the reader is slow, so that output does not pile up here. */
async function show({ stream, data }: Extract<ShellEvent, { type: "shell-output" }>): Promise<void> {
  const target = stream === "stdout" ? process.stdout : process.stderr;
  if (!target.write(Buffer.from(data, "base64"))) await once(target, "drain");
}

/** What goes to the shell beside its events. */
function attendance(id: string, { client, signal, terminal }: AttachOptions & { readonly terminal: Terminal | undefined }) {
  const over = new AbortController();
  let failure: LaminaError | undefined;
  let input: Disposable | undefined;
  let cursor = "0";
  let unseen = 0;
  const fail = (error: unknown): void => {
    failure ??= laminaError(error);
    over.abort();
  };
  const hangUp = (): void => over.abort();
  process.on("SIGHUP", hangUp);
  /** What is lost of it comes again, or is told by the events. */
  const tell = (telling: Promise<unknown>): void => void telling.catch(() => undefined);

  return {
    signal: AbortSignal.any([signal, over.signal]),
    get failure() {
      return failure;
    },
    onCursor: (next: string) => void (cursor = next),
    start() {
      terminal?.enter();
      terminal?.onResize((size) => tell(client.shells.resize(id, size)));
      input = sendInput({
        source: process.stdin,
        write: (piece) => client.shells.write({ id, ...piece }, { signal: over.signal }),
        onGivenUp: () =>
          fail(new LaminaError({ code: "CANCELLED", message: "The platform does not answer, and Ctrl-C was typed. The shell is left." })),
        onFailure: fail,
      });
    },
    seen(bytes: number) {
      unseen += bytes;
      if (unseen < TELL_SEEN_BYTES) return;
      unseen = 0;
      tell(client.shells.seen(id, cursor));
    },
    /** Lets go of it: nobody is there any more, or nothing comes after its last event. */
    async end(hasEnded: boolean) {
      const limit = { signal: AbortSignal.timeout(LAST_WORDS_MS) };
      await (hasEnded ? client.shells.seen(id, cursor, limit) : client.shells.close(id, limit)).catch(() => undefined);
    },
    [Symbol.dispose]() {
      over.abort();
      process.off("SIGHUP", hangUp);
      input?.[Symbol.dispose]();
    },
  };
}
