import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { derived, pythonBase, shellBase, withShell, withUser } from "./bases.ts";
import { build, buildLowered, expectBuilt, expectFailed, requestFor } from "./build.ts";
import { lower, type ResolvedStep } from "../../src/index.ts";
import { inspect } from "./inspect.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const repository = "test/run";
const run = (...commands: string[]): Extract<ResolvedStep, { kind: "runCommands" }> => ({ kind: "runCommands", commands });

describe("the text of commands", () => {
  test.each([
    { what: "a script of 181 kB", commands: Array.from({ length: 1_500 }, (_, n) => `line${n}='${"x".repeat(100)}'`) },
    { what: "one line of 100 kB", commands: [`printf %s '${"$'\\''#".repeat(20_000)}' | wc -c | grep -x 60000`] },
    { what: "a line of only quotes", commands: [`printf %s "${"'".repeat(40_000)}" | wc -c | grep -x 40000`] },
    {
      what: "lines that end a heredoc",
      commands: ["cat <<LAMINA >/f\nx\nLAMINA", "[ $(cat /f) = x ]", "LAMINA_2=1\n: <<LAMINA_2\nLAMINA_2"],
    },
    { what: "carriage returns", commands: ["x='a\r\nb\r'; [ ${#x} = 5 ]"] },
    { what: "words of a Dockerfile", commands: ["# syntax=x\n# escape=`\nFROM=1", 'echo "${FROM}" <<EOF\nEOF', '[ "$HOME" = /root ]'] },
  ])("$what", async ({ commands }) => {
    expectBuilt(await build({ from: await shellBase(), steps: [run(...commands)] }));
  });
});

describe("the environment of a RUN", () => {
  test("is the same twice, and holds nothing of ours", async () => {
    await using first = await temporaryDirectory();
    await using second = await temporaryDirectory();
    const input = { from: await pythonBase(), steps: [run("mkdir /out && env | sort >/out/env")] };
    for (const { path } of [first, second])
      expectBuilt(await build({ ...input, noCache: ["lamina-1"], output: { kind: "directory", destination: path } }));
    const environment = await readFile(join(first.path, "env"), "utf8");
    expect(await readFile(join(second.path, "env"), "utf8")).toBe(environment);
    expect(environment).not.toMatch(/lamina|TRACEPARENT|OTEL/i);
  });

  test("holds a bundle of certificate authorities where the builder brings one, and its layer does not", async () => {
    const from = await withUser(await shellBase(), "nobody");
    const variables = "SSL_CERT_FILE PIP_CERT REQUESTS_CA_BUNDLE CURL_CA_BUNDLE GIT_SSL_CAINFO NODE_EXTRA_CA_CERTS";
    const steps = [run(`for name in ${variables}; do eval "file=\\$$name"; grep -q "^roots" $file || exit 1; done`, "touch /tmp/made")];
    const { digest } = expectBuilt(await build({ from, steps, ca: "roots-and-authorities", output: { kind: "image", repository } }));
    const { layers, rawConfig } = await inspect(repository, digest, 1);
    expect(layers.flat().map(({ name }) => name)).toEqual(["tmp/", "tmp/made"]);
    expect(rawConfig).not.toContain("roots-and-authorities");
    const without = [run(`for name in ${variables}; do eval "[ -z \\"\\\${$name-}\\" ]" || exit 1; done`)];
    expectBuilt(await build({ from, steps: without }));
    expectBuilt(await build({ from, steps: without, ca: "" }));
  });

  test("has the user and the shell of the image", async () => {
    const from = await withShell(await withUser(await pythonBase(), "nobody"), ["/bin/bash", "-euo", "pipefail", "-c"]);
    expectBuilt(await build({ from, steps: [run("[ $(id -un) = nobody ]", "[[ $BASH_VERSION == 5* ]]")] }));
    const outcome = expectFailed(await build({ from, steps: [run("true", "false | true")] }));
    expect(outcome.failed).toEqual({ index: 2, count: 2, status: 1, command: "false | true" });
  });
});

test("what the base starts with is not in the way of a RUN", async () => {
  const from = await derived(await shellBase(), 'ENTRYPOINT ["/bin/false"]\nCMD ["x"]');
  expectBuilt(await build({ from, steps: [run("true")] }));
});

describe("a secret", () => {
  const secrets = {
    TEXT: "s3cret-in-the-clear",
    SPACES: "  two  \n",
    QUOTES: `'"$HOME\`id\`\\`,
    LINES: "one\ntwo\n\n",
    CONTROLS: String.fromCharCode(...Array.from({ length: 0x9f }, (_, n) => n + 1)),
    LONG: "é🚀".repeat(15_000),
    lower_case: "lower",
  };
  const names = Object.keys(secrets).sort();

  test("arrives exactly, and is in no layer, history, name or output", async () => {
    await using out = await temporaryDirectory();
    // In another form, since a step that leaves a value in its layer fails.
    const writing = { ...run("mkdir /out", ...names.map((name) => `printf "%s\\n" "$${name}" | base64 >/out/${name}`)), secrets: names };
    expectBuilt(await build({ from: await shellBase(), steps: [writing], secrets, output: { kind: "directory", destination: out.path } }));
    for (const [name, value] of Object.entries(secrets)) {
      expect(Buffer.from(await readFile(join(out.path, name), "utf8"), "base64")).toEqual(Buffer.from(`${value}\n`));
    }
    const using = { ...run('[ -n "$TEXT" ] && touch /used'), secrets: names };
    const outcome = expectBuilt(
      await build({ from: await shellBase(), steps: [using, run('[ -z "${TEXT-}" ]')], secrets, output: { kind: "image", repository } }),
    );
    const { layers, rawConfig } = await inspect(repository, outcome.digest, 2);
    expect(layers.flat().map(({ name }) => name)).toEqual(["used"]);
    expect([rawConfig, ...outcome.lines, ...outcome.names].join("\n")).not.toContain(secrets.TEXT);
  });

  test("that is missing fails its step before a command runs", async () => {
    const outcome = expectFailed(await build({ from: await shellBase(), steps: [{ ...run("echo never"), secrets: ["MISSING"] }] }));
    expect(outcome.error).toMatch(/secret MISSING: not found/);
    expect(outcome.lines).toEqual([]);
  });
});

describe("a failure", () => {
  test("names the command, as it was written, and its status", async () => {
    const command = "echo 'it'\\''s' >&2\nexit 3 # \"why\" $HOME";
    const outcome = expectFailed(await build({ from: await shellBase(), steps: [run("true"), run("true", command, "true")] }));
    expect(outcome.failed).toEqual({ index: 2, count: 3, status: 3, command });
    expect(outcome.lines).toContain("it's");
  });

  test("names the command after more output than BuildKit keeps", async () => {
    const command = "yes 0123456789012345678901234567890123456789 | head -n 200000; false";
    const outcome = expectFailed(await build({ from: await shellBase(), steps: [run("true", command)] }));
    expect(outcome.failed).toEqual({ index: 2, count: 2, status: 1, command });
  });

  test("of a script that is run as a file names it too", async () => {
    const outcome = expectFailed(await build({ from: await shellBase(), steps: [run(`: '${"x".repeat(200_000)}'`, "exit 9")] }));
    expect(outcome.failed).toEqual({ index: 2, count: 2, status: 9, command: "exit 9" });
  });

  test("says what is missing where the image has no shell", async () => {
    const outcome = expectFailed(await build({ from: "scratch", steps: [{ kind: "workdir", path: "/x" }, run("true")] }));
    expect(outcome.lines.join("\n")).toMatch(/exec: "\/bin\/sh": stat \/bin\/sh: no such file or directory/);
    expect(outcome.failed).toBeUndefined();
  });
});

describe("stages", () => {
  test("as many as a definition may have", async () => {
    const steps = Array.from({ length: 120 }, (_, n) => ({ kind: "workdir" as const, path: `/d${n}` }));
    expectBuilt(await build({ from: await shellBase(), steps, look: ["[ $PWD = /d119 ] && [ -d /d0 ]"] }));
  });

  test("a forced one and those after it are made anew, those before it are not", async () => {
    const from = await shellBase();
    const mark = (name: string) => run(`cat /proc/sys/kernel/random/uuid >/${name}`);
    const steps = [mark("one"), mark("two"), mark("three"), run("mkdir /out && cp /one /two /three /out")];
    const lowered = lower(requestFor({ from, steps }));
    const forced = lowered.stages.filter(({ layer }) => layer >= 2).map(({ target }) => target);
    const marks = async (noCache?: readonly string[]) => {
      await using out = await temporaryDirectory();
      expectBuilt(await buildLowered({ from, steps, noCache, output: { kind: "directory", destination: out.path } }, lowered));
      return await Promise.all(["one", "two", "three"].map((name) => readFile(join(out.path, name), "utf8")));
    };
    const before = await marks();
    const after = await marks(forced);
    expect(after[0]).toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
    expect(after[2]).not.toBe(before[2]);
    expect(await marks()).toEqual(after);
  });
});
