import { serve, servers } from "@lamina/testkit";
import { describe, expect, test } from "vitest";
import { argumentsBelow, lower, type ResolvedStep } from "../../src/index.ts";
import { directory, file, fixtureTree } from "../golden/fixture-tree.ts";
import { wheel } from "../golden/wheel.ts";
import { derived, pythonBase, shellBase } from "./bases.ts";
import { build, buildLowered, expectBuilt, expectFailed, requestFor } from "./build.ts";
import { inspect } from "./inspect.ts";

const wheelTree = fixtureTree(directory("1"), file(`1/${wheel.newerFileName}`, wheel.newer));
const repository = "test/dockerfile-commands";

function instructions(...commands: string[]): ResolvedStep {
  return { kind: "dockerfileCommands", commands };
}

/** An image of that repository, by digest. */
async function pushed(digest: string | undefined): Promise<string> {
  return `${(await servers()).registry.host}/${repository}@${digest}`;
}

describe("what instructions set", () => {
  test("is in the configuration of the image, and no file of ours is in it", async () => {
    const step = instructions(
      'LABEL "a b"="c d" e=f\nEXPOSE 8080 53/udp\nVOLUME /data',
      'CMD ["a", "b c"]\nENTRYPOINT exec x\nSTOPSIGNAL SIGINT\nENV EXPANDED=${NAME#a}${E:-${NAME%p}}${NAME/app/x}\\${E^^}\'${F^^}\'\nUSER 12:34\nWORKDIR /srv/$NAME',
      'HEALTHCHECK --interval=30s --retries=2 CMD true\nSHELL ["/bin/sh", "-x"]',
    );
    const steps: ResolvedStep[] = [{ kind: "env", variables: { NAME: "app" } }, step];
    const { digest } = expectBuilt(await build({ from: await shellBase(), steps, output: { kind: "image", repository } }));
    const { rawConfig, layers } = await inspect(repository, digest, 1);
    expect(JSON.parse(rawConfig)).toMatchObject({
      config: {
        Labels: { "a b": "c d", e: "f" },
        Env: expect.arrayContaining(["EXPANDED=ppapx${E^^}${F^^}"]),
        ExposedPorts: { "8080/tcp": {}, "53/udp": {} },
        Volumes: { "/data": {} },
        Cmd: ["a", "b c"],
        Entrypoint: ["/bin/sh", "-c", "exec x"],
        StopSignal: "SIGINT",
        User: "12:34",
        WorkingDir: "/srv/app",
        Healthcheck: { Test: ["CMD-SHELL", "true"], Interval: 30_000_000_000, Retries: 2 },
        Shell: ["/bin/sh", "-x"],
      },
    });
    expect(layers.flat().map(({ name }) => name)).toEqual(["srv/", "srv/app/"]);
  });

  const cut: ResolvedStep[] = [
    { kind: "env", variables: { SHADOWED: "by ENV", NAME: "nobody" } },
    instructions(
      "ARG ONE='first value' SHADOWED=by-ARG\nARG TWO=$ONE-two EMPTY",
      "ARG ONE=second TARGETARCH\nRUN echo $SHADOWED > /before",
      "USER $NAME",
    ),
    instructions("ENV SHADOWED=later TWO=$TWO"),
    { kind: "runCommands", commands: ['echo "$ONE|$TWO|$SHADOWED|${EMPTY-unset}|$TARGETARCH|$(id -un)" > /tmp/seen'] },
    { kind: "addPythonPackages", tree: wheelTree.digest, packages: [{ kind: "wheel", name: wheel.newerFileName }] },
    instructions("RUN python3 -c 'import lamina_sample' && id -un > /tmp/after"),
  ];
  const look = [
    '[ "$(cat /before)" = by-ARG ] && [ "$(cat /tmp/seen)" = "second|first value-two|later|unset|amd64|nobody" ] && [ "$(cat /tmp/after)" = nobody ]',
    '[ "$(id -un)" = nobody ] && [ "$TWO" = "first value-two" ]',
  ];

  test("holds for later layers", async () => {
    expectBuilt(await build({ from: await pythonBase(), steps: cut, trees: [wheelTree], look }));
  });

  test.each([2, 3])("holds for later layers where the chain is cut after layer %i", async (last) => {
    const below = requestFor({ from: await pythonBase(), steps: cut });
    const first = expectBuilt(
      await buildLowered({ from: "", steps: cut, output: { kind: "image", repository } }, lower({ ...below, last })),
    );
    const { rawConfig, config } = await inspect(repository, first.digest, 0);
    expect(argumentsBelow(cut, last + 1)).toEqual(["ONE", "SHADOWED", "TWO", "TARGETARCH"]);
    for (const value of [
      "ARG ONE=first value",
      "ARG SHADOWED=by-ARG",
      "ARG TWO=first value-two",
      "ARG ONE=second",
      "ARG TARGETARCH=amd64",
    ]) {
      expect(rawConfig).toContain(`"created_by":"${value}"`);
    }
    const args = { ONE: "second", SHADOWED: "by-ARG", TWO: "first value-two", TARGETARCH: "amd64" };
    const above = { ...below, from: await pushed(first.digest), first: last + 1, user: config.user, args };
    expectBuilt(await buildLowered({ from: "", steps: cut, trees: [wheelTree], look }, lower(above)));
  });

  test("of build arguments may have several lines", async () => {
    const steps: ResolvedStep[] = [
      instructions("ARG A=1"),
      { kind: "runCommands", commands: ['[ "$A" = \'one\ntwo\' ] && [ -z "${LAMINA_NL-}" ]'] },
    ];
    const request = { ...requestFor({ from: await shellBase(), steps }), first: 2, args: { A: "one\ntwo" } };
    expectBuilt(await buildLowered({ from: "", steps }, lower(request)));
  });
});

describe("a step", () => {
  test("that has secrets fails where a value stays, whatever form its RUN has", async () => {
    const secrets = { TOKEN: "t0ken-that-must-not-stay" };
    const from = await shellBase();
    for (const run of [
      "RUN echo $TOKEN > /stays",
      'RUN ["/bin/sh", "-c", "echo $TOKEN > /stays"]',
      "RUN <<EOF\n#!/bin/sh\necho $TOKEN > /stays\nEOF",
      "RUN --mount=type=secret,id=TOKEN cp /run/secrets/TOKEN /stays",
    ]) {
      const outcome = expectFailed(
        await build({ from, steps: [{ kind: "dockerfileCommands", commands: [run], secrets: ["TOKEN"] }], secrets }),
      );
      expect(outcome.kept).toEqual(["the value of TOKEN was found in /stays: a layer must not keep it; remove it in the same call"]);
    }
  });

  test("needs no shell for the list form, nor for files", async () => {
    const shell = await shellBase();
    const step = instructions(
      `COPY --from=${shell} /bin/busybox /busybox\nWORKDIR /srv\nENV A=b`,
      'RUN ["/busybox", "touch", "it is here"]\nCOPY <<EOF /srv/file\n$A\nEOF',
      `RUN --mount=from=${shell},source=/etc,target=/mnt ["/busybox", "cp", "/mnt/passwd", "/srv/copied"]`,
    );
    const { digest } = expectBuilt(await build({ from: "scratch", steps: [step], output: { kind: "image", repository } }));
    const { layers, config } = await inspect(repository, digest, 5);
    const names = layers.flat().map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["busybox", "srv/it is here", "srv/file", "srv/copied"]));
    expect(names.join("\n")).not.toMatch(/bin\/sh|lamina/);
    expect(
      layers
        .flat()
        .find(({ name }) => name === "srv/file")
        ?.content.toString(),
    ).toBe("b\n");
    expect(config.workdir).toBe("/srv");
  });

  test("adds what a URL has", async () => {
    await using web = await serve((_, response) => response.end("fetched\n"));
    const step = instructions(`ARG WHERE=http://${web.host}/named.txt\nADD --chmod=0600 http://${web.host}/a.txt $WHERE /got/`);
    const look = ['[ "$(cat /got/a.txt /got/named.txt | xargs)" = "fetched fetched" ] && [ "$(stat -c %a /got/a.txt)" = 600 ]'];
    expectBuilt(await build({ from: await shellBase(), steps: [step], look }));
  });

  test("ends at the command that fails, of those that a RUN has", async () => {
    const step = instructions("RUN echo one", "RUN <<EOF\nfalse\nexit 7\nEOF", "RUN echo never");
    const outcome = expectFailed(await build({ from: await shellBase(), steps: [step] }));
    expect(outcome.failed).toMatchObject({ status: 7, command: "false\nexit 7" });
    expect(outcome.lines.join("\n")).not.toContain("never");
  });
});

test("the trigger of a base (ONBUILD) does not come between", async () => {
  const from = await derived(await shellBase(), "ONBUILD RUN touch /triggered");
  expectBuilt(await build({ from, steps: [instructions("RUN [ -f /triggered ] && touch /after"), instructions("RUN [ -f /after ]")] }));
});
