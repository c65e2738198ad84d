/** No value of a secret is left anywhere, whatever a step does with it and however its build ends. */
import { randomBytes, randomUUID } from "node:crypto";
import { appendFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import {
  debianWithGit,
  findSecrets,
  gitServer,
  killServer,
  leftovers,
  packageIndex,
  processes,
  type ProcessWatch,
  projectOf,
  sdistOf,
  type Sighting,
  supervisedTree,
  tinyPython,
  watchProcesses,
  wheelOf,
} from "@lamina/testkit";
import { Image, imagesOf, Secret } from "lamina";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keeperOf, writePoetryProject, writeSources } from "./python-sources.ts";
import { begin, build, faultSite, type Outcome, type Site } from "./site.ts";

const random = (): string => randomBytes(9).toString("hex");
const values = {
  INLINE: `inline ${random()} "quoted" a+b/c`,
  LINES: `the first line ${random()}\nthe second line ${random()}`,
  NAMED: `named-${random()}`,
  GIT_TOKEN: `ghp_${random()}`,
  INDEX_TOKEN: `index-${random()}`,
  POETRY_HTTP_BASIC_PRIVATE_PASSWORD: `poetry-${random()}`,
  EXAMPLE_GIT_TOKEN: `ghp_${random()}`,
  EXAMPLE_INDEX_TOKEN: `index-${random()}`,
};
const inline = Secret.fromDict({ INLINE: values.INLINE, LINES: values.LINES });
const named = Secret.fromName("of-the-workspace");
const EXAMPLE = join(import.meta.dirname, "../../../../packages/sdk/examples/secrets-in-build.ts");
/** Says all that it knows. */
const TELL = 'echo "inline: $INLINE"; echo "named: $NAMED"; echo "$LINES"';

let site: Site;
let python: string;
/** What clients were told. */
const told: Outcome[] = [];
beforeAll(async () => {
  site = await faultSite();
  python = await tinyPython(site.servers.registry);
  const { NAMED, GIT_TOKEN, INDEX_TOKEN, POETRY_HTTP_BASIC_PRIVATE_PASSWORD } = values;
  await site.client.secrets.set({ name: "of-the-workspace", variables: { NAMED, GIT_TOKEN, INDEX_TOKEN } });
  await site.client.secrets.set({ name: "of-poetry", variables: { POETRY_HTTP_BASIC_PRIVATE_PASSWORD } });
});
afterAll(() => site?.[Symbol.asyncDispose]());

function keep(outcome: Outcome): Outcome {
  told.push(outcome);
  return outcome;
}

const lines = ({ events }: Outcome): string[] => events.flatMap((event) => (event.type === "log" ? [event.line] : []));
const sleeping = (): Image =>
  Image.fromRegistry(python).runCommands(`echo ${randomUUID()}; ${TELL}; echo begun; sleep 300`, { secrets: [inline, named] });

/**
 * Who had a value: the processes of a step, in its container, have its secrets in their environment, and as arguments
 * what the user's own commands make of them. Others have neither.
 */
async function seenBy(watch: ProcessWatch): Promise<{ arguments: Sighting[]; inside: Sighting[]; outside: Sighting[] }> {
  const ours = await Promise.all(["self", await buildkitPid()].map((pid) => readlink(`/proc/${pid}/ns/pid`)));
  const [outside, inside] = [true, false].map((wanted) => watch.seen().filter(({ namespace }) => ours.includes(namespace) === wanted));
  return { arguments: watch.seen().filter(({ place }) => place === "arguments"), inside: inside ?? [], outside: outside ?? [] };
}

/** A process of a step that stays until it has been seen. */
const STAYING = `sleep ${3_600 + Math.random()}`;
const STAY = `{ ${STAYING} || true; }`;

async function endOnceSeen(watch: ProcessWatch): Promise<void> {
  await expect.poll(() => watch.seen().map(({ command }) => command), { timeout: 60_000 }).toContain(STAYING);
  for (const { pid } of (await processes()).filter(({ command }) => command === STAYING)) process.kill(pid);
}

async function buildkitPid(): Promise<number> {
  const buildkit = (await supervisedTree(site.servers.directory, "buildkitd")).find(({ name }) => name === "buildkitd");
  return buildkit?.pid ?? 0;
}

test("a build that uses secrets shows them to its steps alone", async () => {
  await using git = await gitServer(values.GIT_TOKEN);
  await using index = await packageIndex(values.INDEX_TOKEN, [wheelOf({ module: "a_project", version: "1.0", source: "ANSWER = 42\n" })]);
  const fetch = `import base64, os, urllib.request as r
token = base64.b64encode((os.environ["GIT_TOKEN"] + ":").encode()).decode()
print(r.urlopen(r.Request("http://${git.host}/private/repo.git/HEAD", headers={"Authorization": "Basic " + token})).read())`;
  const image = Image.fromRegistry(python)
    .runCommands(
      `echo ${randomUUID()}; ${TELL}`,
      // The value comes in two pieces of output.
      'printf "split: %.9s" "$INLINE"; sleep 0.3; printf "%s\\n" "${INLINE#?????????}"',
      STAY,
      `python3 -c '${fetch}'`,
      // As git leaves it after a clone of such a URL.
      `mkdir -p /app/.git; echo ref >/app/.git/HEAD; printf '[remote "origin"]\\n\\turl = http://%s@${git.host}/private/repo.git\\n' "$GIT_TOKEN" >/app/.git/config`,
      { secrets: [inline, named] },
    )
    .pipInstall("a-project", "--index-url", `http://token:\${INDEX_TOKEN}@${index.host}/simple/`, { secrets: [named] })
    .runCommands("cat /app/.git/config", "python3 -c 'import a_project; print(a_project.ANSWER)'");
  const watch = watchProcesses(values);
  const [built] = await Promise.all([build({ client: site.client, image }), endOnceSeen(watch)]);
  const outcome = keep(built);
  await watch.stop();
  expect(outcome.error).toBeUndefined();
  const shown = ["inline: ***", "named: ***", "split: ***", `\turl = http://${git.host}/private/repo.git`, "42"];
  expect(lines(outcome)).toEqual(expect.arrayContaining(shown));

  const { arguments: inArguments, inside, outside } = await seenBy(watch);
  expect(inside).not.toEqual([]);
  expect([...inArguments, ...outside]).toEqual([]);
});

test("the example of secrets while building has its repository and its package, and none of its tokens as an argument of ours", async () => {
  const { EXAMPLE_GIT_TOKEN, EXAMPLE_INDEX_TOKEN } = values;
  await using git = await gitServer(EXAMPLE_GIT_TOKEN);
  const wheel = wheelOf({ module: "private_package", version: "99.0", source: "ANSWER = 42\n" });
  await using index = await packageIndex(EXAMPLE_INDEX_TOKEN, [wheel]);
  await debianWithGit(site.servers.registry, "3.13");
  Object.assign(process.env, {
    EXAMPLE_GIT_SERVER: `http://${git.host}`,
    EXAMPLE_PACKAGE_INDEX: `http://${index.host}/simple/`,
    GITHUB_TOKEN: EXAMPLE_GIT_TOKEN,
    PRIVATE_REGISTRY_TOKEN: EXAMPLE_INDEX_TOKEN,
  });
  const exports: Readonly<Record<string, unknown>> = await import(EXAMPLE);
  const { secure } = Object.fromEntries(imagesOf(exports).map(({ name, image }) => [name, image]));
  if (!(secure instanceof Image)) throw new Error("the example exports no image `secure`");
  const image = secure.runCommands(
    "cat /app/README.md /app/.git/config",
    "python3 -c 'import private_package; print(private_package.ANSWER)'",
  );

  const watch = watchProcesses(values);
  const outcome = keep(await build({ client: site.client, image }));
  await watch.stop();
  expect(outcome.error).toBeUndefined();
  expect(lines(outcome)).toEqual(expect.arrayContaining(["private", `\turl = http://${git.host}/private/repo.git`, "42"]));
  const { inside, outside } = await seenBy(watch);
  expect(new Set(inside.map(({ secret }) => secret))).toEqual(new Set(["EXAMPLE_GIT_TOKEN", "EXAMPLE_INDEX_TOKEN"]));
  expect(outside).toEqual([]);
});

const ofPoetry = [Secret.fromDict({ POETRY_HTTP_BASIC_PRIVATE_USERNAME: "token" }), Secret.fromName("of-poetry")];

test("Poetry asks a private index with the token of a secret, and tells nobody", async () => {
  const wheel = wheelOf({ module: "a_project", version: "1.0", source: "ANSWER = 42\n" });
  await using index = await packageIndex(values.POETRY_HTTP_BASIC_PRIVATE_PASSWORD, [wheel]);
  const image = Image.fromRegistry(python)
    .poetryInstallFromFile(await writePoetryProject(site, index, "a-project"), undefined, { secrets: ofPoetry })
    .runCommands("python3 -c 'import a_project; print(a_project.ANSWER)'");
  const watch = watchProcesses(values);
  const outcome = keep(await build({ client: site.client, image }));
  await watch.stop();
  expect(outcome.error).toBeUndefined();
  expect(lines(outcome)).toContain("42");
  const { arguments: inArguments, inside, outside } = await seenBy(watch);
  expect(new Set(inside.map(({ secret }) => secret))).toEqual(new Set(["POETRY_HTTP_BASIC_PRIVATE_PASSWORD"]));
  expect([...inArguments, ...outside]).toEqual([]);
});

test("each RUN of a Dockerfile's instructions has them, as variables and as files, and they are shown to nobody else", async () => {
  const image = Image.fromRegistry(python).dockerfileCommands(
    [
      `RUN echo ${randomUUID()}; ${TELL}`,
      `RUN --mount=type=secret,id=INLINE ${STAY}; echo "a file: $(cat /run/secrets/INLINE)"`,
      'RUN --mount=type=secret,id=LINES,target=/keys/lines --mount=type=secret,id=NAMED,env=ALIAS echo "another name: $ALIAS"; cat /keys/lines',
      `RUN ["python3", "-c", "import os; print('a list: ' + os.environ['NAMED'])"]`,
      "RUN <<EOF\n#!/usr/bin/python3\nimport os\nprint('a program: ' + os.environ['NAMED'])\nEOF",
      "USER 12:34",
      'RUN echo "another user: $NAMED"',
    ],
    { secrets: [inline, named] },
  );
  const watch = watchProcesses(values);
  const [built] = await Promise.all([build({ client: site.client, image }), endOnceSeen(watch)]);
  const outcome = keep(built);
  await watch.stop();
  expect(outcome.error).toBeUndefined();
  const ways = ["inline", "named", "a file", "another name", "a list", "a program", "another user"];
  expect(lines(outcome)).toEqual(expect.arrayContaining(ways.map((way) => `${way}: ***`)));
  const { arguments: inArguments, inside, outside } = await seenBy(watch);
  expect(inside).not.toEqual([]);
  expect([...inArguments, ...outside]).toEqual([]);
});

describe("what would keep a value is refused, and the value is named by its variable", () => {
  const indexes = new AsyncDisposableStack();
  afterAll(() => indexes.disposeAsync());

  test.each<[what: string, found: RegExp, step: (image: Image) => Image | Promise<Image>]>([
    [
      "a file that runCommands writes",
      /^runCommands failed: the value of INLINE was found in \/kept:/,
      (image) => image.runCommands(`echo ${randomUUID()}; echo "$INLINE" >/kept`, { secrets: [inline] }),
    ],
    [
      "a package that pipInstall builds",
      /^pipInstall failed: the value of INDEX_TOKEN was found in \/usr\/.*\/keeper\.py:/,
      async (image) => {
        const index = indexes.use(await packageIndex(values.INDEX_TOKEN, [await sdistOf(keeperOf("INDEX_TOKEN"))]));
        return image.pipInstall("keeper", "--index-url", `http://token:\${INDEX_TOKEN}@${index.host}/simple/`, { secrets: [named] });
      },
    ],
    [
      "a package that addPythonPackages builds",
      /^addPythonPackages failed: the value of NAMED was found in \/usr\/.*\/keeper\.py:/,
      async (image) => {
        const directory = await writeSources(site, projectOf(keeperOf("NAMED")));
        return image.addPythonPackages(directory, { secrets: [named] });
      },
    ],
    [
      "a package that poetryInstallFromFile builds",
      /^poetryInstallFromFile failed: the value of POETRY_HTTP_BASIC_PRIVATE_PASSWORD was found in \/usr\/.*\/keeper\.py:/,
      async (image) => {
        const { POETRY_HTTP_BASIC_PRIVATE_PASSWORD: token } = values;
        const index = indexes.use(await packageIndex(token, [await sdistOf(keeperOf("POETRY_HTTP_BASIC_PRIVATE_PASSWORD"))]));
        return image.poetryInstallFromFile(await writePoetryProject(site, index, "keeper"), undefined, { secrets: ofPoetry });
      },
    ],
    [
      "a file that a RUN of dockerfileCommands writes",
      /^dockerfileCommands: command 2: RUN failed: the value of NAMED was found in \/kept:/,
      (image) => image.dockerfileCommands([`RUN echo ${randomUUID()}`, 'RUN echo "$NAMED" >/kept'], { secrets: [named] }),
    ],
    [
      "a copy of a mounted file",
      /^dockerfileCommands: command 1: RUN failed: the value of LINES was found in \/kept:/,
      (image) => image.dockerfileCommands(["RUN --mount=type=secret,id=LINES head -n 9 /run/secrets/LINES >/kept"], { secrets: [inline] }),
    ],
    [
      "a file that a list writes",
      /^dockerfileCommands: command 1: RUN failed: the value of NAMED was found in \/kept:/,
      (image) =>
        image.dockerfileCommands([`RUN ["python3", "-c", "import os; open('/kept', 'w').write(os.environ['NAMED'])"]`], {
          secrets: [named],
        }),
    ],
  ])("%s", async (_, found, step) => {
    const { error } = keep(await build({ client: site.client, image: await step(Image.fromRegistry(python)) }));
    expect(error).toMatchObject({ code: "STEP_FAILED", message: expect.stringMatching(found) });
  });
});

test("a build that fails tells its last lines without them", async () => {
  const image = Image.fromRegistry(python).runCommands(`echo ${randomUUID()}; ${TELL}; echo "$LINES" >/kept; exit 3`, {
    secrets: [inline, named],
  });
  const { error } = keep(await build({ client: site.client, image }));
  expect(error).toMatchObject({ code: "STEP_FAILED", info: { lastLines: expect.arrayContaining(["inline: ***", "named: ***"]) } });
});

test("a build that is cancelled in the middle of its step has them on no disk of the builder meanwhile", async () => {
  const { outcome, abort } = await begin(site.client, sleeping());
  expect(await findSecrets(values, { directories: [site.platform.directory] })).toEqual([]);
  abort();
  expect(keep(await outcome).error).toMatchObject({ code: "CANCELLED" });
});

test("a build ends whose builder is killed in the middle of its step, and that is cancelled then", async () => {
  const { outcome, abort } = await begin(site.client, sleeping());
  const back = site.isBack("builder");
  await killServer(site.platform.directory, "builder");
  abort();
  expect(keep(await outcome).error).toMatchObject({ code: "CANCELLED" });
  await back;
});

test("of all these builds no value is left on a disk, in a layer, an event, a message or a row; one that is no secret is found there", async () => {
  const planted = `planted ${random()}`;
  const image = Image.fromRegistry(python).runCommands(`echo "${planted}" >/planted; cat /planted`);
  expect((await build({ client: site.client, image })).error).toBeUndefined();
  await appendFile(join(site.platform.directory, "logs", "planted.log"), JSON.stringify({ planted }));
  await expect.poll(() => leftovers(site.platform, site.servers), { timeout: 30_000 }).toEqual([]);

  const finds = await findSecrets(
    { ...values, planted },
    {
      // As BuildKit sees them, with what it has in memory.
      directories: [`/proc/${await buildkitPid()}/root${site.servers.directory}`, site.platform.directory],
      nats: site.servers.nats,
      databases: [site.platform.databaseUrl],
      texts: { "what clients were told": JSON.stringify(told) },
    },
  );
  expect(finds.filter(({ secret }) => secret !== "planted")).toEqual([]);
  const places = finds.map(({ place }) => place).join("\n");
  expect(places).toMatch(/logs\/planted\.log/);
  expect(places).toMatch(/registry\/data\/.*\/data, decompressed/);
  expect(places).toMatch(/the column build\.definition/);
  expect(places).toMatch(/the column event_chunk\.events, decompressed/);
});
