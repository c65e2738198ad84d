import { randomUUID } from "node:crypto";
import type { ServedFunction } from "@lamina/api";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DirectWorld, directWorld, outcomesIn } from "./support/direct-world.ts";
import { done } from "./support/function-world.ts";
import { startRunner } from "./support/world.ts";

const FILES = {
  "main.py": `
import os, subprocess, sys

def talk(number):
    kind = number % 12
    if kind == 0:
        print(number, "without an end", end="")
    elif kind == 2:
        for line in range(3000): print(number, line, "x" * 30)
    elif kind == 4:
        subprocess.run(["sh", "-c", f"echo {number} out of a child; echo {number} to stderr >&2"], check=True)
    elif kind == 5:
        os.write(1, b"half a letter: \\xe2\\x82")
    elif kind == 7:
        os.write(2, b"\\x00%d\\n\\x00" % number)
    elif kind == 8:
        # More lines than a runner has waiting.
        print("\\n".join(f"{number} {line}" for line in range(12000)))
    elif kind == 9:
        print("y" * 100_000, end="")
    elif kind == 11:
        print(number)
        print(number, "to stderr", file=sys.stderr)
    return number
`,
};

/** What a call prints, as the function above has it. */
function expected(number: number): { stdout: string; stderr: string } {
  const both = (stdout: string, stderr = "") => ({ stdout, stderr });
  switch (number % 12) {
    case 0:
      return both(`${number} without an end`);
    case 2:
      return both(Array.from({ length: 3000 }, (_, line) => `${number} ${line} ${"x".repeat(30)}`).join("\n"));
    case 4:
      return both(`${number} out of a child`, `${number} to stderr`);
    case 5:
      return both("half a letter: \uFFFD");
    case 7:
      return both("", `\0${number}\n\0`);
    case 8:
      return both(Array.from({ length: 12_000 }, (_, line) => `${number} ${line}`).join("\n"));
    case 9:
      return both("y".repeat(100_000));
    case 11:
      return both(`${number}`, `${number} to stderr`);
    default:
      return both("");
  }
}

const CALLS = 200;
const numbers = Array.from({ length: CALLS }, (_, number) => number);

let here: DirectWorld;
let runner: AsyncDisposable;
beforeAll(async () => {
  here = await directWorld(FILES);
  runner = startRunner(here);
  await here.line.opened();
});
afterAll(async () => {
  await runner[Symbol.asyncDispose]();
  await here[Symbol.asyncDispose]();
});

const talking = () => here.python("talk", { maxContainers: 1 });

/** The lines that a call has, and no other call's. */
async function expectLines(served: ServedFunction, ids: readonly string[]): Promise<void> {
  for (const [number, id] of ids.entries()) {
    const batches = await here.lines(served, id);
    const text = (stream: string) => {
      const lines = batches.filter((batch) => batch.stream === stream).flatMap((batch) => batch.lines);
      // A very long line comes in pieces.
      return lines.join(number % 12 === 9 ? "" : "\n");
    };
    const printed = { stdout: text("stdout"), stderr: text("stderr") };
    const wanted = expected(number);
    // Which one it is, since the texts are long.
    expect({ number, isAsExpected: printed.stdout === wanted.stdout && printed.stderr === wanted.stderr }).toEqual({
      number,
      isAsExpected: true,
    });
  }
}

test("each of many calls that come alone has its own lines, whatever those before it printed", async () => {
  const talk = talking();
  const calls = [];
  for (const number of numbers) calls.push(await here.call(talk, [number]));
  expect(await Promise.all(calls.map(({ end }) => end))).toMatchObject(numbers.map((number) => done(number)));
  await expectLines(
    talk,
    calls.map(({ id }) => id),
  );
});

test("each of many calls of one message has its own lines", async () => {
  const talk = talking();
  const { recorded, sentApart } = here.functions;
  const ids = numbers.map(() => randomUUID());
  let left = ids;
  while (left.length > 0) {
    sentApart.length = 0;
    const sent = left.map((id) => [ids.indexOf(id)]);
    await here.callTogether(talk, sent, left);
    await expect.poll(() => left.filter((id) => !recorded.has(id) && !sentApart.includes(id))).toEqual([]);
    // What others took too long for is sent once more.
    left = left.filter((id) => !recorded.has(id));
  }
  expect(await Promise.all(ids.map((id) => here.functions.end(id)))).toMatchObject(numbers.map((number) => done(number)));
  await expectLines(talk, ids);
});

test("each of many calls over the line has its own lines, alone or with others", async () => {
  const talk = talking();
  const ids: string[] = [];
  let permit = await here.permit(talk, 1);
  while (ids.length < CALLS) {
    const some = numbers.slice(ids.length, ids.length + 1 + (ids.length % 3));
    const given = here.give(
      permit,
      some.map((number) => [number]),
    );
    const { ended, isBack } = await here.line.find((frames) => {
      const outcomes = outcomesIn(frames).filter(({ id }) => given.includes(id));
      const back = frames.flatMap((frame) => (frame.type === "back" ? frame.calls.filter((id) => given.includes(id)) : []));
      return outcomes.length + back.length === given.length ? { ended: outcomes, isBack: back.length > 0 } : undefined;
    });
    expect(ended.map(({ end }) => end)).toMatchObject(ended.map((_, index) => done(some[index])));
    ids.push(...ended.map(({ id }) => id));
    // What others took too long for comes back with its permit.
    if (isBack) permit = await here.permit(talk, 1);
  }
  await expectLines(talk, ids);
});
