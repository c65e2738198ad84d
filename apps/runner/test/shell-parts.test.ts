/** What of a shell needs no container. */
import { type NumberedShellEvent, type ShellCommand, type ShellEvent, UNSEEN_BYTES } from "@lamina/api";
import { describe, expect, test, vi } from "vitest";
import { gpusOf } from "../src/functions/gpus.ts";
import { commandsOf } from "../src/shells/commands.ts";
import { shellEvents } from "../src/shells/events.ts";
import { shellInput } from "../src/shells/input.ts";

const preparing = (what: string): ShellEvent => ({ type: "shell-preparing", what });
const output = (bytes: number): ShellEvent => ({ type: "shell-output", stream: "stdout", data: "A".repeat(bytes) });

describe("events", () => {
  test("are numbered, and sent again as long as they are not known to have been seen", () => {
    const sent: NumberedShellEvent[] = [];
    const events = shellEvents((event) => sent.push(event));
    for (const what of ["a", "b", "c"]) void events.add(preparing(what));
    events.sendAgain(1);
    events.seen(2);
    events.sendAgain(0);
    expect(sent.map(({ number }) => number)).toEqual([1, 2, 3, 2, 3, 3]);
  });

  test("wait while much has not been seen, and no longer than that", async () => {
    const events = shellEvents(() => undefined);
    expect(events.add(output(UNSEEN_BYTES))).toBeUndefined();
    const proceed = vi.fn<() => void>();
    const waiting = events.add(output(1))?.then(proceed);
    events.seen(0);
    await Promise.resolve();
    expect(proceed).not.toHaveBeenCalled();
    events.seen(1);
    await waiting;
    const last = events.add(preparing("the last"));
    expect(last).toBeUndefined();
    const allSeen = events.allSeen();
    events.seen(3);
    await allSeen;
  });

  test("that nobody will see make nobody wait", async () => {
    const sent: NumberedShellEvent[] = [];
    const events = shellEvents((event) => sent.push(event));
    void events.add(output(UNSEEN_BYTES));
    const [waiting, seen] = [events.add(output(1)), events.allSeen()];
    events.abandon();
    await waiting;
    await seen;
    expect(events.add(output(1))).toBeUndefined();
    await events.allSeen();
    expect(sent).toHaveLength(2);
  });
});

describe("input", () => {
  test("is taken once and in order, though it comes twice or too early", async () => {
    const taken: string[] = [];
    const input = shellInput();
    const write = (number: number, text: string, isEnd = false) =>
      input.write({ type: "write", number, data: Buffer.from(text).toString("base64"), isEnd });
    const first = write(1, "one ");
    const again = write(1, "one ");
    input.openTo({ write: async (bytes) => void taken.push(Buffer.from(bytes).toString()), end: () => void taken.push("(end)") });
    expect(await Promise.all([first, again])).toEqual([true, true]);
    expect(await write(3, "three ")).toBe(false);
    expect(await write(2, "two ")).toBe(true);
    expect(await write(3, "three ", true)).toBe(true);
    await vi.waitFor(() => expect(taken.join("")).toBe("one two three (end)"));
  });

  test("waits for room, and is told when there is none", async () => {
    const { promise: room, resolve: makeRoom } = Promise.withResolvers<void>();
    const input = shellInput();
    input.openTo({ write: () => room, end: () => undefined });
    const write = (number: number) => input.write({ type: "write", number, data: "", isEnd: false });
    expect(await write(1)).toBe(true);
    expect(await write(2)).toBe(false);
    const waiting = write(2);
    makeRoom();
    expect(await waiting).toBe(true);
  });
});

describe("GPUs", () => {
  const never = new AbortController().signal;

  test("go first to who waits for them, in turn, and who has some to spare is asked for them", async () => {
    const gpus = gpusOf(["0", "1"]);
    const [asked, free] = [vi.fn<() => void>(), vi.fn<() => void>()];
    gpus.onWanted(asked);
    gpus.onFree(free);
    const mine = gpus.take(2) ?? [];
    const [two, one] = [gpus.wait(2, never), gpus.wait(1, never)];
    expect(asked).toHaveBeenCalled();
    gpus.giveBack(mine.slice(0, 1));
    expect(gpus.take(1)).toBeUndefined();
    gpus.giveBack(mine.slice(1));
    expect(await two).toEqual(["0", "1"]);
    expect(free).not.toHaveBeenCalled();
    gpus.giveBack(await two);
    expect(await one).toEqual(["0"]);
    expect(free).toHaveBeenCalledOnce();
    expect(gpus.take(1)).toEqual(["1"]);
  });

  test("are not kept for who has given up", async () => {
    const gpus = gpusOf(["0"]);
    const mine = gpus.take(1) ?? [];
    const stop = new AbortController();
    const waiting = gpus.wait(1, stop.signal);
    stop.abort(new Error("given up"));
    await expect(waiting).rejects.toThrow("given up");
    gpus.giveBack(mine);
    expect(gpus.take(1)).toEqual(["0"]);
  });
});

test("a program without a terminal is run as it is; at one, and for a shell, there is something to run without `sh`, too", () => {
  const program: ShellCommand = { kind: "program", arguments: ["ls", "-l"] };
  expect(commandsOf(program, { hasTerminal: false })).toEqual([["ls", "-l"]]);
  expect(commandsOf(program, { hasTerminal: true }).at(-1)).toEqual(["ls", "-l"]);
  expect(commandsOf({ kind: "shell" }, { hasTerminal: true }).at(-1)).toEqual(["bash"]);
});
