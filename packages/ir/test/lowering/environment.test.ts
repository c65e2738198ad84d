import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lower } from "../../src/index.ts";
import { text } from "../arbitraries.ts";
import { hardValues } from "../golden/hard-values.ts";
import { shellBase, withUser } from "./bases.ts";
import { build, buildLowered, expectBuilt, expectFailed, requestFor } from "./build.ts";
import { inspect } from "./inspect.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const repository = "test/environment";
const writeEnvironment = { kind: "runCommands" as const, commands: ["mkdir -p /out && env -0 >/out/env"] };

describe("environment values are exact, in the image and in a RUN", () => {
  test.each([
    { what: "hard ones", variables: hardValues },
    { what: "random ones", variables: Object.fromEntries(fc.sample(text, 200).map((value, n) => [`RANDOM_${n}`, value])) },
    { what: "newlines", variables: { ONE: "\n", SOME: "\n\na\\\n\"b\n'$HOME'\n", CRLF: "a\r\nb\r\n", AFTER: "$ONE" } },
    {
      what: "long lines",
      variables: {
        PLAIN: "x".repeat(100_000),
        HASHES: "#".repeat(70_000),
        BACKSLASHES: "\\".repeat(70_000),
        SPACES: " ".repeat(70_000),
        QUOTES: `"$'`.repeat(40_000),
      },
    },
  ])("$what", async ({ variables }) => {
    await using out = await temporaryDirectory();
    const input = { from: await shellBase(), steps: [{ kind: "env" as const, variables }, writeEnvironment] };
    expectBuilt(await build({ ...input, output: { kind: "directory", destination: out.path } }));
    expect(parseEnvironment(await readFile(join(out.path, "env")))).toMatchObject(variables);
    const { digest } = expectBuilt(await build({ ...input, output: { kind: "image", repository } }));
    expect((await inspect(repository, digest, 0)).config.env).toMatchObject(variables);
  });

  test("in later stages and when the chain is cut", async () => {
    const variables = { LINES: "one\ntwo", PLAIN: "$HOME" };
    const steps = [
      { kind: "env" as const, variables },
      { kind: "workdir" as const, path: "/a\nb" },
      { kind: "runCommands" as const, commands: ["pwd > where"] },
    ];
    const from = await shellBase();
    const { digest } = expectBuilt(await build({ from, steps: steps.slice(0, 1), output: { kind: "image", repository } }));
    const look = ['[ "$LINES" = "$(printf \'one\\ntwo\')" ] && [ -z "${LAMINA_NL-}" ]', '[ "$(cat where)" = "$PWD" ]'];
    expectBuilt(await build({ from, steps, look }));
    expectBuilt(await build({ from: `${from.slice(0, from.indexOf("/"))}/${repository}@${digest}`, steps: steps.slice(1), look }));
  });

  test("without the build argument a newline is missed, not lost", async () => {
    const steps = [{ kind: "env" as const, variables: { LINES: "a\nb" } }, writeEnvironment];
    const from = await shellBase();
    const lowered = { ...lower(requestFor({ from, steps })), buildArgs: {} };
    expect(expectFailed(await buildLowered({ from, steps }, lowered)).error).toContain("must be a newline");
  });
});

describe("the working directory", () => {
  test("is exact, relative to the one before, and stays the default", async () => {
    const steps = ["/srv/my $app", 'it\'s "here" \\', "deep/$HOME/é", "line\nbreak"].map((path) => ({ kind: "workdir" as const, path }));
    const expected = '/srv/my $app/it\'s "here" \\/deep/$HOME/é/line\nbreak';
    const { digest } = expectBuilt(await build({ from: await shellBase(), steps, output: { kind: "image", repository } }));
    expect((await inspect(repository, digest, 0)).config.workdir).toBe(expected);
    expectBuilt(
      await build({
        from: await shellBase(),
        steps,
        look: [`[ "$PWD" = ${JSON.stringify(expected).replaceAll("$", "\\$").replace("\\n", "\n")} ]`],
      }),
    );
  });

  test("belongs to the user of the image", async () => {
    const from = await withUser(await shellBase(), "nobody");
    expectBuilt(
      await build({ from, steps: [{ kind: "workdir", path: "/mine" }], look: ['[ "$(stat -c %U /mine)" = nobody ]', "touch here"] }),
    );
  });
});

function parseEnvironment(content: Buffer): Record<string, string> {
  const lines = content
    .toString()
    .split("\0")
    .filter((line) => line !== "");
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}
