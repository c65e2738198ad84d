import { writeFile } from "node:fs/promises";
import path from "node:path";
import { base } from "@lamina/testkit";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { lamina, type Lamina, statuses } from "./lamina.ts";

let user: Lamina;
beforeAll(async () => {
  await Promise.all([base("3.11"), base("3.13")]);
  user = await lamina();
});
afterAll(() => user[Symbol.asyncDispose]());

interface Changes {
  readonly python?: string;
  readonly package?: string;
  readonly command?: string;
  readonly options?: string;
}

/** A chain of five steps; `marker` keeps the chains of the tests apart. */
function source(marker: string, changes: Changes = {}): string {
  const part = { python: "3.11", package: "six==1.16.0", command: "echo made >/made", options: "", ...changes };
  return `
    import { Image } from "lamina";
    export const image = Image.debianSlim({ pythonVersion: "${part.python}" })
      .env({ MARKER: "${marker}" })
      .pipInstall("${part.package}")
      .copyLocalDir("files", "/files")
      .runCommands("${part.command}"${part.options})
      .runCommands("date +%N >/stamp");
  `;
}

beforeEach(async ({ task }) => {
  await user.write({ "image.ts": source(task.id), "files/a.txt": "one", "files/b.txt": "two" });
  await user.build("image.ts");
});

test("nothing changed: every layer is a hit", async () => {
  expect(statuses((await user.build("image.ts"))["image"])).toBe("hit hit hit hit hit");
});

test("touching a file changes nothing, a new text rebuilds its layer and those after it", async () => {
  await writeFile(path.join(user.directory, "files/a.txt"), "one");
  expect(statuses((await user.build("image.ts"))["image"])).toBe("hit hit hit hit hit");

  await user.write({ "files/a.txt": "another" });
  const { image } = await user.build("image.ts");
  expect(statuses(image)).toBe("hit hit built built built");
  expect(await user.look(image, "cat /files/a.txt /files/b.txt")).toBe("anothertwo");
});

test("another package rebuilds its layer and those after it", async ({ task }) => {
  await user.write({ "image.ts": source(task.id, { package: "six==1.17.0" }) });
  const { image } = await user.build("image.ts");
  expect(statuses(image)).toBe("hit built built built built");
  expect(await user.look(image, "python -c 'import six; print(six.__version__)'")).toBe("1.17.0");
});

test("another command rebuilds its layer and those after it", async ({ task }) => {
  await user.write({ "image.ts": source(task.id, { command: "echo otherwise >/made" }) });
  const { image } = await user.build("image.ts");
  expect(statuses(image)).toBe("hit hit hit built built");
  expect(await user.look(image, "cat /made")).toBe("otherwise");
});

test("another base rebuilds everything", async ({ task }) => {
  await user.write({ "image.ts": source(task.id, { python: "3.13" }) });
  const { image } = await user.build("image.ts");
  expect(statuses(image)).toBe("built built built built built");
  expect(await user.look(image, "python --version")).toMatch(/^Python 3\.13\./);
});

test("forceBuild rebuilds its layer and those after it, with new bytes, under the same ids; the next build hits the new ones", async ({
  task,
}) => {
  const { image: before } = await user.build("image.ts");
  await user.write({ "image.ts": source(task.id, { options: ", { forceBuild: true }" }) });
  const { image: forced } = await user.build("image.ts");
  expect(statuses(forced)).toBe("hit hit hit built built");
  expect(forced?.id).toBe(before?.id);
  expect(forced?.ref).not.toBe(before?.ref);
  const stamp = await user.look(forced, "cat /stamp");

  await user.write({ "image.ts": source(task.id) });
  const { image: after } = await user.build("image.ts");
  expect(statuses(after)).toBe("hit hit hit hit hit");
  expect(after?.ref).toBe(forced?.ref);
  expect(await user.look(after, "cat /stamp")).toBe(stamp);
});

test("a failing fifth layer keeps the four before it and says what failed, and where it was written", async ({ task }) => {
  const broken = source(task.id, { command: "echo four >/made" }).replace(
    "date +%N >/stamp",
    'echo first", "echo about to fail; cat /no/such/file; exit 7',
  );
  await user.write({ "image.ts": broken });
  const error = await user.failingBuild("image.ts");
  expect(error).toMatchObject({
    status: 1,
    code: "STEP_FAILED",
    command: "echo about to fail; cat /no/such/file; exit 7",
    exitCode: 7,
    source: { file: path.join(user.directory, "image.ts"), line: 8 },
  });
  expect(error.lastLines?.join("\n")).toContain("about to fail\ncat: /no/such/file: No such file or directory");

  await user.write({ "image.ts": source(task.id, { command: "echo four >/made" }) });
  expect(statuses((await user.build("image.ts"))["image"])).toBe("hit hit hit hit built");
});
