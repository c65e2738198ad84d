import { closeSync, constants, openSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { expect, onTestFinished, test } from "vitest";
import { readOutput } from "../src/functions/output.ts";

/** Pipes after their set-up, what is read from them, and what holds up reading. */
async function pipes() {
  const directory = await mkdtemp(join(tmpdir(), "lamina-output-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const paths = { stdout: join(directory, "stdout"), stderr: join(directory, "stderr") };
  await execa("mkfifo", Object.values(paths));
  const told: (readonly [string | undefined, readonly string[]])[] = [];
  const held = Promise.withResolvers<void>();
  const output = readOutput({
    directory,
    onLines(call, _, lines) {
      told.push([call, lines]);
      return lines.includes("hold") ? held.promise : undefined;
    },
  });
  onTestFinished(() => output.close());
  const [stdout, stderr] = [openSync(paths.stdout, constants.O_WRONLY), openSync(paths.stderr, constants.O_WRONLY)];
  onTestFinished(() => [stdout, stderr].forEach(closeSync));
  for (const pipe of [stdout, stderr]) writeSync(pipe, "\0\n");
  await output.setUp;
  return { output, told, release: held.resolve, write: (bytes: string | Buffer) => writeSync(stdout, Buffer.from(bytes)) };
}

test("a call without markers ends after lines for which reading waits, and what it printed last is its own", async () => {
  const { output, told, release, write } = await pipes();
  output.begin("one");
  write("hold\nlast");
  await expect.poll(() => told).toEqual([["one", ["hold"]]]);
  const ended = output.endedWithoutMarker("one");
  expect(ended).toBeDefined();
  expect(told).toHaveLength(1);
  release();
  await ended;
  expect(told.slice(1)).toEqual([["one", ["last"]]]);
  output.begin("two");
  write("next\n");
  await expect.poll(() => told.slice(2)).toEqual([["two", ["next"]]]);
});

test("calls with and without markers take turns", async () => {
  const { output, told, write } = await pipes();
  output.begin("one");
  expect(output.endedWithoutMarker("one")).toBeUndefined();
  output.begin("two");
  write("two\n\0one\n\0two\n");
  await expect.poll(() => told).toEqual([["two", ["two", "\0one"]]]);
  output.begin("three");
  write("three\n");
  await expect.poll(() => told.slice(1)).toEqual([["three", ["three"]]]);
  expect(output.endedWithoutMarker("three")).toBeUndefined();
});
