/**
 * Every part on a machine of its own: the control plane, the builder with its BuildKit, the runner with its containerd,
 * the registry, NATS, Postgres and the client share no network but a cable, no loopback and no disk.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { builderVersion, DEFAULT_BUILDER_VERSION } from "@lamina/ir";
import { ownServers, placesApart, platformDirectory, reasonAgainstApart, serversDirectory, testPlatform, tinyBase } from "@lamina/testkit";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { cli, jsonLines, type Outcome } from "./support/cli.ts";

const IMAGE = `
import { Image, Secret } from "lamina";
export const image = Image.fromRegistry(process.env.BASE)
  .copyLocalDir("files", "/files")
  .runCommands('[ "\${#TOKEN}" = 20 ]', "echo the token is $TOKEN", { secrets: [Secret.fromEnv(["TOKEN"])] })
  .runCommands("cd /files", "cat one > /copied", "echo copied")
  .env({ GREETING: "hello" });
`;
const reason = await reasonAgainstApart();

describe.skipIf(reason !== undefined)(`parts apart${reason === undefined ? "" : ` (skipped: ${reason})`}`, () => {
  const cleanUp = new AsyncDisposableStack();
  afterAll(() => cleanUp.disposeAsync());

  let lamina: (...args: readonly string[]) => Promise<Outcome>;
  /** Tries to connect from a place to addresses: "open", or the code of the error. */
  let connections: (place: string, addresses: readonly string[]) => Promise<string[]>;
  let listing: (place: string, directory: string) => Promise<string[]>;
  let addresses: Readonly<Record<"control plane" | "NATS" | "Postgres" | "registry", string>>;
  let directories: Readonly<Record<"servers" | "platform", string>>;

  beforeAll(async () => {
    const servers = await serversDirectory();
    const platform = await platformDirectory();
    const client = await mkdtemp(path.join(tmpdir(), "lamina-user-"));
    cleanUp.defer(() => rm(client, { recursive: true, force: true }));
    const of = (directory: string, ...names: readonly string[]) => names.map((name) => path.join(directory, name));
    const apart = cleanUp.use(
      await placesApart({
        hidden: [servers, platform, client],
        places: {
          postgres: of(servers, "postgres"),
          nats: of(servers, "nats"),
          registry: of(servers, "registry"),
          "control-plane": [],
          builder: [...of(servers, "buildkit", "cdi"), ...of(platform, "builder")],
          runner: [...of(servers, "containerd"), ...of(platform, "runner")],
          client: [client],
        },
        guest: { name: "client", host: "control-plane" },
      }),
    );
    const [postgres, nats, registry] = [apart.place("postgres"), apart.place("nats"), apart.place("registry")];
    const [builder, runner] = [apart.place("builder"), apart.place("runner")];
    const own = cleanUp.use(
      await ownServers({ directory: servers, places: { postgres, nats, registry, buildkit: builder, containerd: runner } }),
    );
    const { url, clientToken } = cleanUp.use(
      await testPlatform({
        uv: builderVersion(DEFAULT_BUILDER_VERSION)?.uv ?? "",
        servers: own,
        directory: platform,
        places: { builder, runner, "control-plane": apart.place("control-plane") },
      }),
    );
    await writeFile(path.join(client, "image.ts"), IMAGE);
    await mkdirWith(path.join(client, "files"), { one: "one of the client's\n" });
    const env = {
      LAMINA_URL: url,
      LAMINA_TOKEN: clientToken,
      LAMINA_HOME: path.join(client, "home"),
      BASE: await tinyBase(own.registry),
      TOKEN: "s3cret-of-the-client",
    };
    lamina = (...args) => cli(args, { env, cwd: client, enter: apart.place("client").enter });
    const run = async (place: string, ...command: readonly string[]) => {
      const [program = "", ...args] = [...apart.place(place).enter, ...command];
      return (await execa(program, args)).stdout.split("\n").filter((line) => line !== "");
    };
    connections = (place, targets) => run(place, process.execPath, "-e", CONNECT, ...targets);
    listing = (place, directory) => run(place, "ls", directory);
    directories = { servers, platform };
    addresses = {
      "control plane": new URL(url).host,
      NATS: new URL(own.nats.url).host,
      Postgres: new URL(own.postgres.url).host,
      registry: own.registry.host,
    };
  });

  test("build an image of local files and a secret, find all of it the second time, and run a command in it", async () => {
    const first = await lamina("build", "image.ts", "--json");
    expect(statusesIn(first)).toEqual(["hit", "built", "built", "built", "built"]);
    const image = jsonLines(first).at(-1);
    const second = await lamina("build", "image.ts", "--json");
    expect(statusesIn(second)).toEqual(["hit", "hit", "hit", "hit", "hit"]);

    const run = await lamina("exec", String(image?.["ref"]), "--", "sh", "-c", "cat /copied; echo $GREETING");
    expect(run).toMatchObject({ exitCode: 0, stdout: "one of the client's\nhello" });

    const listed = jsonLines(await lamina("builds", "--json"));
    expect(listed.map(({ state }) => state)).toEqual(["done", "done"]);
    const logs = await lamina("logs", String(listed[1]?.["id"]), "--follow");
    expect(logs.stdout).toContain("the token is ***");
    expect(logs.stdout).toContain("copied");
  });

  test("have no way to each other but their addresses, and the client has none but the control plane's", async () => {
    const all = Object.values(addresses);
    expect(await connections("client", all)).toEqual(["open", "ENETUNREACH", "ENETUNREACH", "ENETUNREACH"]);
    expect(await connections("builder", all)).toEqual(["open", "open", "open", "open"]);
    const onLoopback = all.map((address) => `127.0.0.1:${new URL(`tcp://${address}`).port}`);
    expect(await connections("builder", onLoopback)).toEqual(all.map(() => "ECONNREFUSED"));
    expect(await listing("builder", directories.servers)).toEqual(["buildkit", "cdi"]);
    expect(await listing("builder", directories.platform)).toEqual(["builder"]);
    expect(await listing("control-plane", directories.servers)).toEqual([]);
    expect(await listing("registry", directories.servers)).toEqual(["registry"]);
  });
});

const CONNECT = `
const { connect } = require("node:net");
const outcome = (address) => new Promise((resolve) => {
  const { hostname, port } = new URL("tcp://" + address);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on("connect", () => resolve("open")).on("error", ({ code }) => resolve(code));
});
Promise.all(process.argv.slice(1).map(outcome)).then((outcomes) => { console.log(outcomes.join("\\n")); process.exit(); });
`;

async function mkdirWith(directory: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(directory);
  for (const [name, content] of Object.entries(files)) await writeFile(path.join(directory, name), content);
}

const ImageLine = z.object({ type: z.literal("image"), layers: z.array(z.object({ status: z.string() })) });

function statusesIn(outcome: Outcome): string[] {
  const line = ImageLine.safeParse(jsonLines(outcome).at(-1));
  if (!line.success) throw new Error(`lamina ended with ${outcome.exitCode}\n${outcome.stdout}\n${outcome.stderr}`);
  return line.data.layers.map(({ status }) => status);
}
