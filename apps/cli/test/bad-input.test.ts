/**
 * Bad inputs as a user gives them: each in a file of the user's, to `lamina build` or, in Python, `lamina deploy`. It ends with a code and a
 * reason, names the file and the line, and nothing is built or left of it.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pythonSdk } from "@lamina/testkit";
import { type ErrorReason, REASONS } from "lamina";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type UserPlace, userPlace } from "./bad-input/place.ts";
import { IN_PYTHON, MARK as MARK_IN_PYTHON, pythonFile } from "./bad-input/python.ts";
import { IN_TYPESCRIPT, MARK, typescriptFile } from "./bad-input/typescript.ts";
import { cli, jsonLines, type Outcome } from "./support/cli.ts";

/** What no file of one image shows: the test that does, and why it is there. */
const ELSEWHERE: Partial<Record<ErrorReason, readonly [test: string, why: string]>> = {
  "full-disk": ["apps/cli/test/faults/storage.test.ts", "the disk of a server has to be full, and the build runs until it is"],
  "older-platform": ["packages/sdk/test/version-mismatch.test.ts", "another version of the platform answers"],
  "older-client": ["packages/sdk/test/version-mismatch.test.ts", "another version of the platform answers"],
  "other-sdk": ["packages/sdk/test/image.test.ts", "another version of the SDK has made the image"],
  "no-image": ["apps/cli/test/user-file.test.ts", "what is missing has no line"],
  "invalid-configuration": ["apps/cli/test/usage.test.ts", "the environment is wrong, and no file"],
  "invalid-usage": ["apps/cli/test/usage.test.ts", "the arguments of the command are wrong, and no file"],
  "invalid-request": ["apps/control-plane/test/planning.test.ts", "the SDK makes no such request"],
};

let home: string;
let place: UserPlace;
let environment: Readonly<Record<string, string>>;
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "lamina-home-"));
  place = await userPlace();
  environment = { ...(await pythonSdk()), LAMINA_HOME: home };
  await lamina("up");
}, 120_000);
afterAll(async () => {
  await lamina("down");
  await place?.[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

function lamina(...args: readonly string[]) {
  return cli(args, { env: environment, cwd: place.directory });
}

test("every reason has a file here, or a test elsewhere that names it", async () => {
  const shown = IN_TYPESCRIPT.flatMap(({ reason }) => reason ?? []);
  expect([...new Set([...shown, ...Object.keys(ELSEWHERE)])].toSorted()).toEqual(Object.keys(REASONS).toSorted());
  for (const [reason, [file]] of Object.entries(ELSEWHERE)) {
    expect(await readFile(path.join(import.meta.dirname, "../../..", file), "utf8")).toContain(`"${reason}"`);
  }
});

/** What an error says of the line of a file that is marked. */
function placeOf(mark: string, file: string, text: string) {
  return { file: path.join(place.directory, file), line: text.split("\n").findIndex((each) => each.includes(mark)) + 1 };
}

/** The error in the end. Before it there is what could be said of the image, which is nothing; no event of a build. */
function expectRefused(outcome: Outcome, error: Readonly<Record<string, unknown>>, sent: readonly string[] = []): void {
  const [last, ...others] = jsonLines(outcome).toReversed();
  expect(last).toMatchObject({ type: "error", ...error });
  const before = others.filter(({ type, ref }) => type !== "image" || ref !== null);
  expect(before.map(({ type }) => type)).toEqual(sent);
  expect(outcome.exitCode).not.toBe(0);
  expect(outcome.stdout + outcome.stderr).not.toContain("hunter2-and-more");
}

describe("ends the build before it begins, with its place in the user's file", () => {
  test.each(IN_TYPESCRIPT)("$what", { timeout: 30_000 }, async ({ code = "INVALID_INPUT", reason, ...input }) => {
    const text = typescriptFile(input);
    await place.write("image.ts", text);
    const error = { code, ...(reason !== undefined && { reason }), source: placeOf(MARK, "image.ts", text) };
    expectRefused(await lamina("build", "image.ts", "--json"), error);
  });

  test.each(IN_PYTHON)("$what, in Python", { timeout: 30_000 }, async ({ code = "INVALID_INPUT", reason, message, isSent, ...input }) => {
    const text = pythonFile(input);
    await place.write("image.py", text);
    const error = {
      code,
      ...(reason !== undefined && { reason }),
      message: expect.stringContaining(message),
      source: placeOf(MARK_IN_PYTHON, "image.py", text),
    };
    expectRefused(await lamina("deploy", "image.py", "--json"), error, isSent && ["upload"]);
  });
});

test("nothing of them was built, and nothing is left", async () => {
  for (const list of ["builds", "images", "apps"]) expect(jsonLines(await lamina(list, "--json"))).toEqual([]);
});
