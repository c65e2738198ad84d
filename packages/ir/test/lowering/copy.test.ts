import { describe, expect, test } from "vitest";
import { type FixtureEntry, type FixtureTree, directory, fifo, file, fixtureTree, link } from "../golden/fixture-tree.ts";
import { shellBase, withUser } from "./bases.ts";
import { build, expectBuilt, expectFailed } from "./build.ts";
import { type LayerEntry, inspect } from "./inspect.ts";

const repository = "test/copy";

/** Names that shells, globs, Dockerfiles and tar read in another way. */
const ODD_NAMES = [
  ..."* ? [a-z] \\ \" ' $HOME ${HOME} `id` # ! & ; ~ - -rf".split(" "),
  " spaces around ",
  "new\nline",
  "tab\there",
  "é and\na newline",
  "日本 🚀",
  ".hidden",
  ".dockerignore",
  "%2F",
  "a\\nb",
  "trailing\\",
  `it's "all" \\ $at once`,
];

const everything = fixtureTree(
  ...ODD_NAMES.map((name) => file(`names/${name}`, name)),
  ...[0o400, 0o444, 0o600, 0o644, 0o700, 0o755, 0o1755, 0o2755, 0o4755, 0o6755].map((mode) => file(`modes/${mode.toString(8)}`, "", mode)),
  directory("names"),
  directory("modes", 0o700),
  directory("empty"),
  directory("sticky", 0o1755),
  directory("nothing-for-others", 0o500),
  link("to-file", "modes/644"),
  link("to-directory", "empty"),
  link("dangling", "../../nowhere"),
  link("absolute", "/etc/passwd"),
  link("odd $target's", 'a "b" $c'),
  fifo("queue", 0o600),
);

describe("a directory", () => {
  test("arrives exactly: names, kinds, modes, links, contents, owned by root whoever the user is", async () => {
    const from = await withUser(await shellBase(), "nobody");
    const steps = [{ kind: "copyLocalDir" as const, tree: everything.digest, destination: "/made/here" }];
    const { digest } = expectBuilt(await build({ from, steps, trees: [everything], output: { kind: "image", repository } }));
    const [layer = []] = (await inspect(repository, digest, 1)).layers;
    const copied = layer.filter(({ name }) => name.startsWith("made/here/") && name !== "made/here/");
    expect(copied.map(describeEntry).sort()).toEqual(everything.entries.map(describeFixture).sort());
    expect(new Set(layer.map(({ uid, gid }) => `${uid}:${gid}`))).toEqual(new Set(["0:0"]));
  });

  test("keeps the times of its files", async () => {
    const mtime = new Date("2001-02-03T04:05:06Z");
    const tree = fixtureTree({ ...file("sub/old", "x"), mtime });
    const one = fixtureTree({ ...file("alone", "x"), mtime });
    const steps = [
      { kind: "copyLocalDir" as const, tree: tree.digest, destination: "/app" },
      { kind: "copyLocalFile" as const, tree: one.digest, destination: "/app/" },
    ];
    const { digest } = expectBuilt(
      await build({ from: await shellBase(), steps, trees: [tree, one], output: { kind: "image", repository } }),
    );
    const files = (await inspect(repository, digest, 2)).layers.flat().filter(({ type }) => type === "file");
    expect(files.map(({ name, mtime: kept }) => [name, kept])).toEqual([
      ["app/sub/old", mtime],
      ["app/alone", mtime],
    ]);
  });

  test("goes to odd destinations, and to a relative one under the working directory", async () => {
    const tree = fixtureTree(file("here", ""));
    const destinations = ['/it\'s "odd"', "/$HOME/${x}", "/back\\slash/", "/new\nline", "/*", "relative/é", ".", '/["json"]'];
    const steps = [
      { kind: "workdir" as const, path: "/work" },
      ...destinations.map((destination) => ({ kind: "copyLocalDir" as const, tree: tree.digest, destination })),
    ];
    const { digest } = expectBuilt(await build({ from: await shellBase(), steps, trees: [tree], output: { kind: "image", repository } }));
    const files = (await inspect(repository, digest, destinations.length)).layers.flatMap((layer) =>
      layer.filter(({ type }) => type === "file").map(({ name }) => `/${name}`),
    );
    expect(files).toEqual([
      '/it\'s "odd"/here',
      "/$HOME/${x}/here",
      "/back\\slash/here",
      "/new\nline/here",
      "/*/here",
      "/work/relative/é/here",
      "/work/here",
      '/["json"]/here',
    ]);
  });

  test("follows a link that the base has at its destination, and leaves the link in place", async () => {
    const tree = fixtureTree(file("x.so", "library"));
    const to = (destination: string) => ({ kind: "copyLocalDir" as const, tree: tree.digest, destination });
    const look = [
      '[ -L /lib ] && [ "$(readlink /lib)" = usr/lib ]',
      "[ -f /usr/lib/x.so ] && [ -f /usr/lib/deep/x.so ]",
      '[ "$(readlink /dangling)" = nowhere ] && [ -f /nowhere/x.so ]',
    ];
    expectBuilt(await build({ from: await shellBase(), steps: [to("/lib"), to("/lib/deep"), to("/dangling")], trees: [tree], look }));
  });

  test("makes a new destination with mode 755, and leaves the mode of one that is there", async () => {
    const tree = fixtureTree(directory("sub", 0o700), file("x", ""));
    const to = (destination: string) => ({ kind: "copyLocalDir" as const, tree: tree.digest, destination });
    const look = ['[ "$(stat -c %a /fresh /fresh/parent /kept /kept/sub /tmp | xargs)" = "755 755 711 700 1777" ]'];
    expectBuilt(await build({ from: await shellBase(), steps: [to("/fresh/parent"), to("/kept"), to("/tmp")], trees: [tree], look }));
  });

  test("is the same layer to the byte when it is staged again at another time", async () => {
    const tree = fixtureTree(file("a/b", "content"), link("c", "a"));
    const input = {
      from: await shellBase(),
      steps: [{ kind: "copyLocalDir" as const, tree: tree.digest, destination: "/app" }],
      trees: [tree],
    };
    const first = expectBuilt(await build({ ...input, output: { kind: "image", repository } }));
    const second = expectBuilt(await build({ ...input, output: { kind: "image", repository } }));
    expect(second.digest).toBe(first.digest);
  });

  test("that is empty makes its destination", async () => {
    const tree = fixtureTree();
    const steps = [{ kind: "copyLocalDir" as const, tree: tree.digest, destination: "/made" }];
    expectBuilt(await build({ from: await shellBase(), steps, trees: [tree], look: ['[ -d /made ] && [ -z "$(ls -A /made)" ]'] }));
  });

  test.each([
    {
      what: "a directory over a file",
      tree: fixtureTree(directory("etc/passwd"), file("etc/passwd/x", "")),
      message: /cannot copy to non-directory: .*\/etc\/passwd$/m,
    },
    {
      what: "a file over a directory",
      tree: fixtureTree(file("etc", "")),
      message: /cannot replace to directory .*\/etc with file$/m,
    },
    {
      what: "a directory over a link",
      tree: fixtureTree(directory("lib"), file("lib/x", "")),
      message: /cannot copy to non-directory: .*\/lib$/m,
    },
    {
      what: "a directory over a dangling link",
      tree: fixtureTree(directory("dangling"), file("dangling/x", "")),
      message: /cannot copy to non-directory: .*\/dangling$/m,
    },
  ])("fails where $what would have to go", async ({ tree, message }) => {
    const outcome = expectFailed(
      await build({ from: await shellBase(), steps: [{ kind: "copyLocalDir", tree: tree.digest, destination: "/" }], trees: [tree] }),
    );
    expect(outcome.error).toMatch(message);
  });
});

describe("one file", () => {
  test("keeps every odd name in a directory that is its destination", async () => {
    const trees = ODD_NAMES.map((name) => fixtureTree(file(name, name, 0o640)));
    const steps = trees.map((tree, n) => ({ kind: "copyLocalFile" as const, tree: tree.digest, destination: `/to/${n}/` }));
    expect(await copiedFiles(steps, trees)).toEqual(ODD_NAMES.map((name, n) => ({ name: `to/${n}/${name}`, content: name })));
  });

  test("takes every odd name that its destination gives it", async () => {
    const tree = fixtureTree(file("plain", "content"));
    const names = ODD_NAMES.filter((name) => name.trim() === name);
    const steps = names.map((name, n) => ({ kind: "copyLocalFile" as const, tree: tree.digest, destination: `/to/${n}/${name}` }));
    expect(await copiedFiles(steps, [tree])).toEqual(names.map((name, n) => ({ name: `to/${n}/${name}`, content: "content" })));
  });

  test("goes into a directory that is there, over a file that is there, and under the working directory", async () => {
    const tree = fixtureTree(file("passwd", "root:x:0:0::/:/bin/sh\n", 0o600));
    const to = (destination: string) => ({ kind: "copyLocalFile" as const, tree: tree.digest, destination });
    const steps = [
      { kind: "workdir" as const, path: "/work" },
      to("/kept"),
      to("/etc/passwd"),
      to("relative"),
      to("deep/new.name"),
      to("/lib"),
    ];
    const look = [
      "cmp /kept/passwd /etc/passwd",
      "cmp relative /etc/passwd",
      "cmp /work/deep/new.name /etc/passwd",
      "cmp /usr/lib/passwd /etc/passwd",
      "[ -L /lib ]",
      '[ "$(stat -c %a:%u relative)" = 600:0 ]',
    ];
    expectBuilt(await build({ from: await shellBase(), steps, trees: [tree], look }));
  });
});

test("what needs no shell works on an empty base", async () => {
  const tree = fixtureTree(file("bin/tool", "", 0o755));
  const one = fixtureTree(file("settings", "x"));
  const steps = [
    { kind: "copyLocalDir" as const, tree: tree.digest, destination: "/opt" },
    { kind: "copyLocalFile" as const, tree: one.digest, destination: "/etc/" },
    { kind: "env" as const, variables: { PATH: "/opt/bin" } },
    { kind: "workdir" as const, path: "/srv" },
  ];
  const { digest } = expectBuilt(await build({ from: "scratch", steps, trees: [tree, one], output: { kind: "image", repository } }));
  const { config, layers } = await inspect(repository, digest, 3);
  expect(config).toMatchObject({ env: { PATH: "/opt/bin" }, workdir: "/srv", user: "" });
  expect(layers.flat().flatMap(({ type, name }) => (type === "file" ? [name] : []))).toEqual(["opt/bin/tool", "etc/settings"]);
});

async function copiedFiles(steps: readonly { kind: "copyLocalFile"; tree: string; destination: string }[], trees: readonly FixtureTree[]) {
  const { digest } = expectBuilt(await build({ from: await shellBase(), steps, trees, output: { kind: "image", repository } }));
  const { layers } = await inspect(repository, digest, steps.length);
  return layers.flat().flatMap(({ type, name, content }) => (type === "file" ? [{ name, content: content.toString() }] : []));
}

function describeEntry({ name, type, mode, linkname, content }: LayerEntry): string {
  const path = name.replace(/^made\/here\//, "").replace(/\/$/, "");
  return fingerprint({ kind: type ?? "", path, mode: mode & 0o7777, target: linkname ?? "", content: content.toString() });
}

function describeFixture(entry: FixtureEntry): string {
  const kind = entry.kind === "link" ? "symlink" : entry.kind;
  return fingerprint({
    kind,
    path: entry.path,
    mode: entry.kind === "link" ? 0o777 : entry.mode,
    target: entry.kind === "link" ? entry.target : "",
    content: entry.kind === "file" ? String(entry.content) : "",
  });
}

function fingerprint(parts: { kind: string; path: string; mode: number; target: string; content: string }): string {
  return JSON.stringify([parts.path, parts.kind, parts.mode.toString(8), parts.target, parts.content]);
}
