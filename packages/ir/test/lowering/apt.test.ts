import { freshNamespace } from "@lamina/testkit";
import { describe, expect, test } from "vitest";
import type { ResolvedStep } from "../../src/index.ts";
import { derived, pythonBase, shellBase, withUser } from "./bases.ts";
import { build, expectBuilt, expectFailed } from "./build.ts";
import { inspect } from "./inspect.ts";

const repository = "test/apt";
const apt = (...args: string[]): Extract<ResolvedStep, { kind: "aptInstall" }> => ({ kind: "aptInstall", arguments: args });

/** What Debian's own images hold, so that their layers stay small: it empties the caches after each run. */
const DOCKER_CLEAN = [
  "RUN <<'EOF'",
  "#!/bin/sh",
  "cat >/etc/apt/apt.conf.d/docker-clean <<'CLEAN'",
  'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };',
  'APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };',
  'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";',
  "CLEAN",
  "EOF",
].join("\n");

describe("Debian packages", () => {
  test("leave no list, archive or setting behind, and are fetched once whatever docker-clean says", async () => {
    const from = await derived(await pythonBase(), DOCKER_CLEAN);
    const input = { from, steps: [apt("tree")] };
    const { digest } = expectBuilt(await build({ ...input, output: { kind: "image", repository } }));
    const [layer = []] = (await inspect(repository, digest, 1)).layers;
    const names = layer.map(({ name }) => name);
    expect(names).toContain("usr/bin/tree");
    expect(
      names.filter((name) => /^(var\/lib\/apt\/lists|var\/cache\/apt|etc\/apt|dev|tmp|run)\//.test(name) || name.includes("lamina")),
    ).toEqual([]);
    const again = expectBuilt(await build({ ...input, from: await derived(from, `ENV OTHER=${freshNamespace()}`) }));
    expect(again.lines.join("\n")).toMatch(/^Need to get 0 B\//m);
  });

  test("are installed with the secrets that the step declares", async () => {
    const step = { ...apt("-o", 'DPkg::Pre-Invoke::=[ -n "$MIRROR_TOKEN" ]', "tree"), secrets: ["MIRROR_TOKEN"] };
    const from = await pythonBase();
    expectBuilt(await build({ from, steps: [step], secrets: { MIRROR_TOKEN: "t0ken-of-the-mirror" } }));
    expectFailed(await build({ from, steps: [{ ...step, secrets: undefined }] }));
  });

  test("are installed as root, without questions, and the image keeps its user and environment", async () => {
    const from = await withUser(await pythonBase(), "65534:65534");
    const look = ['[ "$(id -u):$(id -g)" = 65534:65534 ]', '[ -z "${DEBIAN_FRONTEND-}${APT_CONFIG-}" ]', "tree --version"];
    const steps = [apt("tree", "debconf-utils")];
    const { digest } = expectBuilt(await build({ from, user: "65534:65534", steps, look, output: { kind: "image", repository } }));
    expect((await inspect(repository, digest, 0)).config.user).toBe("65534:65534");
  });

  test("that others need are marked so, and go with them", async () => {
    const steps = [
      apt("jq"),
      apt("--purge", "jq"),
      { kind: "runCommands" as const, commands: ["apt-get autoremove --purge -y", "! dpkg -s libjq1 2>/dev/null", "! command -v jq"] },
    ];
    expectBuilt(await build({ from: await pythonBase(), steps }));
  });

  test("take each argument as it is", async () => {
    const outcome = expectFailed(await build({ from: await pythonBase(), steps: [apt("tree;touch$IFS/tmp/pwned")] }));
    expect(outcome.failed).toEqual({
      index: 2,
      count: 2,
      status: 100,
      command: "apt-get install --yes --no-install-recommends 'tree;touch$IFS/tmp/pwned'",
    });
  });

  test("need an image that has apt", async () => {
    const outcome = expectFailed(await build({ from: await shellBase(), steps: [apt("tree")] }));
    expect(outcome.lines).toContain("This image has no apt-get: aptInstall needs Debian or one of its kin as the base.");
    expect(outcome.failed).toMatchObject({ index: 1, status: 127 });
  });
});
