import { gitServer } from "@lamina/testkit";
import { describe, expect, test } from "vitest";
import type { ResolvedStep } from "../../src/index.ts";
import { derived, pythonBase, shellBase, withShell, withUser } from "./bases.ts";
import { build, expectBuilt, expectFailed } from "./build.ts";
import { inspect } from "./inspect.ts";

const repository = "test/secret-search";
const secrets = {
  BYTES: Buffer.from("f".repeat(4) + "\xff\xfe\x81\x01" + "f".repeat(4), "latin1"),
  KEY: "-----BEGIN KEY-----\nMIIEowIBAAKCAQEA7bqMIIEowIBAAKCAQEA7bq\n-----END KEY-----\n\n",
  SHORT: "abc",
  TOKEN: "t0ken-that-must-not-stay",
};
const withSecrets = (...commands: string[]): ResolvedStep => ({ kind: "runCommands", commands, secrets: Object.keys(secrets).sort() });
const keep = (name: string, place: string) =>
  `the value of ${name} was found in ${place}: a layer must not keep it; remove it in the same call`;

const shells = [
  { shell: "dash", base: pythonBase },
  { shell: "bash with all its checks", base: async () => withShell(await pythonBase(), ["/bin/bash", "-euo", "pipefail", "-c"]) },
  { shell: "busybox", base: shellBase },
  { shell: "a user who is not root", base: async () => withUser(await pythonBase(), "nobody") },
];

describe.each(shells)("under $shell", ({ base }) => {
  test("a value that stays fails the step, which names every place and no value", async () => {
    const step = withSecrets(
      "mkdir -p '/tmp/a b' && cd /tmp",
      `printf 'token=%s' "$TOKEN" >'a b/$HOME \\'`,
      `printf 'x\\0%s\\377' "$TOKEN" >binary`,
      `printf '%s' "$KEY" >key; touch -t 200001010000 key; cp -p key key-copied; printf '%s' "$BYTES" >bytes`,
      `mkdir "dir-$TOKEN" && ln -s "/dir/$TOKEN/x" link; unset TOKEN KEY`,
    );
    const outcome = expectFailed(await build({ from: await base(), steps: [step], secrets }));
    expect(outcome.kept.toSorted()).toEqual(
      [
        keep("TOKEN", "/tmp/a b/$HOME \\"),
        keep("TOKEN", "/tmp/binary"),
        keep("KEY", "/tmp/key"),
        keep("KEY", "/tmp/key-copied"),
        keep("BYTES", "/tmp/bytes"),
        keep("TOKEN", "the name /tmp/dir-***"),
        keep("TOKEN", "the link /tmp/link -> /dir/***"),
      ].toSorted(),
    );
    expect([...outcome.lines, outcome.error].join("\n")).not.toMatch(/t0ken-that|MIIE/);
    expect(outcome.failed).toBeUndefined();
  });

  test("a value that was used, or written and removed, is no find, nor one that is short or in the frame of a key", async () => {
    const step = withSecrets(
      `[ -n "$TOKEN" ] && echo "$TOKEN" >/tmp/t && rm /tmp/t; echo "$SHORT" >/tmp/s`,
      "echo '-----BEGIN KEY-----' >/tmp/k; rm -rf /dev/shm/lamina-*",
    );
    const { digest } = expectBuilt(await build({ from: await base(), steps: [step], secrets, output: { kind: "image", repository } }));
    const { layers } = await inspect(repository, digest, 1);
    expect(layers.flat().map(({ name }) => name)).toEqual(["tmp/", "tmp/k", "tmp/s"]);
  });

  test("a token is taken out of URLs in the configuration of a git repository, and the rest of the file stays", async () => {
    const config = (user: string) =>
      `[remote "origin"]\n\turl = https://${user}git.example/a.git\n\tpushurl = ssh://git@git.example/a.git # é\n[http]\n\tx = y@z`;
    const step = withSecrets(
      "mkdir -p /tmp/app/.git/modules/x && cd /tmp/app/.git && umask 077",
      `for at in . modules/x; do touch $at/HEAD; printf '${config("%s@").replaceAll("\n", "\\n")}' "user:$TOKEN" >$at/config; done`,
    );
    const { digest } = expectBuilt(await build({ from: await base(), steps: [step], secrets, output: { kind: "image", repository } }));
    const { layers } = await inspect(repository, digest, 1);
    const configs = layers.flat().filter(({ name }) => name.endsWith("config"));
    expect(configs.map(({ content, mode }) => ({ content: content.toString(), mode }))).toEqual(
      Array.from({ length: 2 }, () => ({ content: config(""), mode: 0o600 })),
    );
  });
});

describe("git with a token in the URL", () => {
  const apt: ResolvedStep = { kind: "aptInstall", arguments: ["git"] };

  test("leaves clones that are whole, usable and without it", { timeout: 180_000 }, async () => {
    await using git = await gitServer(secrets.TOKEN);
    const url = `http://${git.host}/private`;
    const clone = `git clone http://\${TOKEN}@${git.host}/private`;
    const step = withSecrets(
      `${clone}/repo.git --recurse-submodules /app && ${clone}/repo.git --bare /bare`,
      `git -C /app fetch --all && git -C /app pull && git -C /app remote add other http://x:$TOKEN@${git.host}/private/sub.git`,
    );
    const look = [
      `[ "$(git -C /app remote get-url origin)" = ${url}/repo.git ] && [ "$(git -C /app remote get-url other)" = ${url}/sub.git ]`,
      `[ "$(git -C /app/sub remote get-url origin)" = ${url}/sub.git ] && [ "$(git -C /bare remote get-url origin)" = ${url}/repo.git ]`,
      "git -C /app status --short | grep . && exit 1; git -C /app fsck && git -C /app submodule status && git -C /bare log --oneline",
      `! grep -rF ${secrets.TOKEN} /app /bare`,
    ];
    expectBuilt(await build({ from: await pythonBase(), steps: [apt, step], secrets, look }));
  });

  test("fails where it is kept elsewhere", async () => {
    const step = withSecrets('git config --global url."https://$TOKEN@git.example/".insteadOf https://git.example/');
    const outcome = expectFailed(await build({ from: await pythonBase(), steps: [apt, step], secrets }));
    expect(outcome.kept).toEqual([keep("TOKEN", "/root/.gitconfig")]);
  });
});

test("what the base holds already is no find", async () => {
  const from = await derived(await pythonBase(), `RUN echo ${secrets.TOKEN} >/before`);
  expectBuilt(await build({ from, steps: [withSecrets("echo $TOKEN >/tmp/x; rm /tmp/x")], secrets }));
  const outcome = expectFailed(await build({ from, steps: [withSecrets("chmod 600 /before")], secrets }));
  expect(outcome.kept).toEqual([keep("TOKEN", "/before")]);
});

test("all files are searched where find knows no change times", async () => {
  const script = '#!/bin/sh\\ncase "$*" in *-cnewer*|*-cmin*) exit 1; esac\\nexec find.real "$@"\\n';
  const from = await derived(
    await pythonBase(),
    `RUN echo ${secrets.TOKEN} >/before && mv /usr/bin/find /usr/bin/find.real && printf '${script}' >/usr/bin/find && chmod 755 /usr/bin/find`,
  );
  const outcome = expectFailed(await build({ from, steps: [withSecrets("ln -s before /tmp/$TOKEN")], secrets }));
  expect(outcome.kept).toEqual(["/before", "the name /tmp/***", "the link /tmp/***"].map((place) => keep("TOKEN", place)));
});

test("what the user of the step may not read cannot be kept either", async () => {
  const from = await withUser(await derived(await pythonBase(), "RUN cp /bin/cp /bin/copy && chmod 4755 /bin/copy"), "nobody");
  const step = withSecrets('cd /tmp && umask 077 && echo "$TOKEN" >t && copy t kept && rm t');
  const outcome = expectFailed(await build({ from, steps: [step], secrets }));
  expect(outcome.kept.join("\n")).toMatch(/^\/tmp\/kept was changed, and the user of the step may not read it/);
});

test("no more than ten finds are named", async () => {
  const step = withSecrets(`for n in 1 2 3 4 5 6 7 8 9 10 11 12; do echo $TOKEN >/$n; done`);
  const outcome = expectFailed(await build({ from: await shellBase(), steps: [step], secrets }));
  expect(outcome.kept).toHaveLength(11);
  expect(outcome.kept.at(-1)).toBe("and 2 more");
});

test("an image whose grep finds nothing fails the step", async () => {
  const from = await derived(await pythonBase(), "RUN ln -sf /bin/true /usr/bin/grep");
  const outcome = expectFailed(await build({ from, steps: [withSecrets("true")], secrets }));
  expect(outcome.kept.join("\n")).toMatch(/^the find and grep of the image do not find the values of secrets/);
});

test("an image without find says so before a command runs", async () => {
  const from = await derived(await pythonBase(), "RUN rm /usr/bin/find");
  const outcome = expectFailed(await build({ from, steps: [withSecrets("echo never")], secrets }));
  expect(outcome.kept.join("\n")).toMatch(/^the image has no find, .* install it in an earlier step$/);
  expect(outcome.lines.join("\n")).not.toContain("never");
});

test("an image whose find finds nothing says so before a command runs", async () => {
  const from = await derived(await pythonBase(), "RUN ln -sf /bin/true /usr/bin/find");
  const outcome = expectFailed(await build({ from, steps: [withSecrets("echo never")], secrets }));
  expect(outcome.kept.join("\n")).toMatch(/^the find of the image does not find what has changed/);
  expect(outcome.lines.join("\n")).not.toContain("never");
});
