import { describe, expect, test } from "vitest";
import type { ResolvedStep } from "../../src/index.ts";
import { pythonBase, shellBase, withShell, withUser } from "./bases.ts";
import { build, expectBuilt, expectFailed } from "./build.ts";
import { inspect } from "./inspect.ts";

const repository = "test/secret-search";
const TOKEN = "t0ken-that-must-not-stay";
const secrets = { TOKEN, SHORT: "abc", KEY: "-----BEGIN KEY-----\nMIIEowIBAAKCAQEA7bqMIIEowIBAAKCAQEA7bq\n-----END KEY-----\n" };
const withSecrets = (...commands: string[]): ResolvedStep => ({ kind: "runCommands", commands, secrets: Object.keys(secrets).sort() });

test("a value in a binary file is found", async () => {
  const step = withSecrets(`printf 'x\\0%s\\377' "$TOKEN" >/tmp/database`);
  const outcome = expectFailed(await build({ from: await pythonBase(), steps: [step], secrets }));
  expect(outcome.lines.join("\n")).toContain("lamina: /tmp/database holds the value of the secret TOKEN");
});

describe.each([
  { shell: "dash", base: pythonBase },
  { shell: "bash with all its checks", base: async () => withShell(await pythonBase(), ["/bin/bash", "-euo", "pipefail", "-c"]) },
  { shell: "busybox", base: shellBase },
  { shell: "a user who is not root", base: async () => withUser(await pythonBase(), "nobody") },
])("under $shell", ({ base }) => {
  test("a token is taken out of the configuration of a git clone, and the rest of it stays", async () => {
    const write = `printf '[remote "origin"]\\n\\turl = https://%s@git.example/a.git\\n\\tfetch = +refs/heads/*:refs/remotes/origin/*\\n' "$TOKEN"`;
    const step = withSecrets("mkdir -p /tmp/app/.git/modules/x && cd /tmp/app/.git", `${write} | tee config >modules/x/config`);
    const { digest } = expectBuilt(await build({ from: await base(), steps: [step], secrets, output: { kind: "image", repository } }));
    const { layers } = await inspect(repository, digest, 1);
    const configs = layers.flat().filter(({ name }) => name.endsWith("config"));
    expect(configs.map(({ content }) => content.toString())).toEqual(
      Array.from(
        { length: 2 },
        () => `[remote "origin"]\n\turl = https://git.example/a.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n`,
      ),
    );
  });

  test("a value that stays elsewhere fails the step, which names the file and not the value", async () => {
    const step = withSecrets("mkdir -p '/tmp/a b'", `printf 'token=%s' "$TOKEN" >'/tmp/a b/settings'`);
    const outcome = expectFailed(await build({ from: await base(), steps: [step], secrets }));
    expect(outcome.lines.join("\n")).toContain("lamina: /tmp/a b/settings holds the value of the secret TOKEN");
    expect([...outcome.lines, outcome.error].join("\n")).not.toContain(TOKEN);
    expect(outcome.failed).toMatchObject({ index: 2, count: 2, status: 1 });
  });

  test("a value that was written and removed is no find, nor one that is too short or in the frame of a key", async () => {
    const step = withSecrets(`echo "$TOKEN" >/tmp/t; rm /tmp/t; echo "$SHORT" >/tmp/s`, "echo '-----BEGIN KEY-----' >/tmp/k");
    expectBuilt(await build({ from: await base(), steps: [step], secrets }));
  });

  test("the longest line of a value is enough, and an old time of the file does not hide it", async () => {
    const step = withSecrets(`echo "$KEY" | grep MII >/tmp/k; touch -t 200001010000 /tmp/k`);
    const outcome = expectFailed(await build({ from: await base(), steps: [step], secrets }));
    expect(outcome.lines.join("\n")).toContain("lamina: /tmp/k holds the value of the secret KEY");
  });
});
