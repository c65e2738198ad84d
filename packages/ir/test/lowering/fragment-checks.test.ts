/** What is known of instructions before they are built, held against what BuildKit makes of them. */
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { fileLayersOf, missingSource, type ResolvedStep } from "../../src/index.ts";
import { directory, file, fixtureTree, link, treeEntry } from "../golden/fixture-tree.ts";
import { shellBase } from "./bases.ts";
import { build, expectBuilt } from "./build.ts";
import { inspect } from "./inspect.ts";

const repository = "test/fragment-checks";
const Config = z.object({ rootfs: z.object({ diff_ids: z.array(z.string()) }) });

let shell: string;
beforeAll(async () => void (shell = await shellBase()));

const tree = fixtureTree(
  file("a", "a"),
  directory("d"),
  file("d/b", "b"),
  link("d/up", "../a"),
  link("d/rooted", "/d/b"),
  link("d/past", "../../../d/b"),
  link("d/out", "../../secret"),
  link("d/root", "/etc/passwd"),
  link("d/gone", "nothing"),
  link("d/by", "out"),
  link("d/one", "two"),
  link("d/two", "one"),
  link("d/self", "."),
);
const entries = tree.entries.map(treeEntry);

describe("a source that is a link is refused where BuildKit would not find what it leads to", () => {
  test.each([
    "COPY d /x",
    "COPY d/ a /x/",
    "COPY d/up d/self/b /x/",
    "COPY d/rooted /x/",
    "COPY d/past /x/",
    "COPY d/self/self/up /x",
    "COPY d/u* /x/",
    "COPY d/ro[^o]*d /x/",
    "COPY d/out /x",
    "COPY d/root /x",
    "COPY d/gone /x",
    "COPY d/by /x",
    "COPY d/by/c /x",
    "COPY d/one /x",
    "COPY d/one/c /x",
    "COPY d/o[u]* /x/",
    "COPY d/g* /x/",
    "COPY d/* /x/",
    "COPY */b /x/",
    "COPY --parents d/out /x/",
    "COPY --exclude=*.md d/out /x/",
    "RUN --mount=source=d/rooted,target=/x cat /x",
    "RUN --mount=source=d/out,target=/x cat /x",
    "RUN --mount=source=d/one,target=/x cat /x",
  ])("%s", async (instruction) => {
    const commands = [instruction];
    const outcome = await build({ from: shell, steps: [{ kind: "dockerfileCommands", commands, tree: tree.digest }], trees: [tree] });
    expect({
      status: missingSource(commands, entries) === undefined ? "built" : "failed",
      error: missingSource(commands, entries)?.message,
    }).toMatchObject({
      status: outcome.status,
    });
  });
});

test("as many layers are counted as the image has", async () => {
  const steps: readonly ResolvedStep[] = [
    {
      kind: "dockerfileCommands",
      commands: [
        "LABEL a=b\nENV A=b\nUSER 1\nARG X=y\nEXPOSE 1\nCMD x\nUSER 0",
        "RUN true\nRUN <<EOF\ntrue\nEOF\nCOPY a d/b /x/\nCOPY <<ONE <<TWO /x/\nONE\nTWO\nWORKDIR /\nWORKDIR /x\nWORKDIR /x\nWORKDIR y",
      ],
      tree: tree.digest,
    },
    { kind: "env", variables: { A: "c" } },
    { kind: "workdir", path: "/" },
    { kind: "workdir", path: "/x" },
    { kind: "copyLocalDir", tree: tree.digest, destination: "/d" },
    { kind: "runCommands", commands: ["true", "true"] },
  ];
  for (const step of steps) {
    const input = { from: shell, steps: [step], trees: [tree], output: { kind: "image", repository } } as const;
    const { digest } = expectBuilt(await build(input));
    const layers = Config.parse(JSON.parse((await inspect(repository, digest, 0)).rawConfig)).rootfs.diff_ids.length;
    // The base is one layer itself.
    expect({ kind: step.kind, layers: fileLayersOf(step) }).toEqual({ kind: step.kind, layers: layers - 1 });
  }
});

test("values at the edge of what is taken are taken by BuildKit", async () => {
  const commands = [
    "EXPOSE 0 65535 70-80\nSTOPSIGNAL SIGRTMIN+15\nSTOPSIGNAL RTMAX-14\nSTOPSIGNAL 1\nUSER 2147483647:2147483647\nRUN true\nUSER 0",
    "HEALTHCHECK --interval=0 --timeout=1ms --start-period=2562047h --start-interval=1.5s --retries=0 CMD x",
    "RUN --mount=type=cache,target=/c,mode=07777,uid=4294967295,gid=0,sharing=SHARED,ro=T true",
    "RUN --mount=type=tmpfs,target=/t,size=1.5GiB --mount=type=bind,target=/u,rw=false true",
    "ENV TO=/to/ MODE=o=\nCOPY --chmod=$MODE a d/b $TO\nCOPY a d/b .\nCOPY --exclude=[^a-c]* --chmod=u+x,g=rX a /x/.",
    "ENV A=${TO:?no} B=${NO:-x} C='${NO:?no}' D=\\${NO:?no} E=${PATH:?no}",
  ];
  expectBuilt(await build({ from: shell, steps: [{ kind: "dockerfileCommands", commands, tree: tree.digest }], trees: [tree] }));
});
