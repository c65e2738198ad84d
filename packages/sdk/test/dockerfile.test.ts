import { execFile } from "node:child_process";
import { access, readFile, symlink } from "node:fs/promises";
import { promisify } from "node:util";
import { base, servers, testControlPlane, type TestControlPlane } from "@lamina/testkit";
import { type Client, connect, dockerfileOf, exportDockerfile, Image, Secret } from "lamina";
import { afterAll, beforeAll, expect, test } from "vitest";
import { workspace } from "./support/workspace.ts";

const run = promisify(execFile);
const uv = () => Promise.reject(new Error("uv is not needed"));

let platform: TestControlPlane;
let client: Client;

beforeAll(async () => {
  await base("3.13");
  platform = await testControlPlane();
  client = await connect(platform);
});
afterAll(() => platform?.[Symbol.asyncDispose]());

test("an exported image is built by buildctl alone, from a directory that was moved", async () => {
  const { binaries, buildkit, registry } = await servers();
  await using place = await workspace();
  await place.write({ "src/a": "a", "one.txt": "one" });
  await symlink("a", place.path("src/link"));
  const image = Image.debianSlim({ pythonVersion: "3.13" })
    .env({ GREETING: "two\nlines" })
    .copyLocalDir(place.path("src"), "/app/src")
    .copyLocalFile(place.path("one.txt"), "/app/")
    .dockerfileCommands(["COPY some/a two.txt\nRUN [ $TOKEN = hunter2 ] && mv two.txt /app/"], {
      contextFiles: { some: place.path("src") },
      secrets: [Secret.fromDict({ TOKEN: "hunter2" })],
    })
    .workdir("/app")
    .runCommands(
      'test "$(cat src/link one.txt two.txt)" = aonea',
      'test "$(readlink src/link)" = a',
      'test "$GREETING" = "two\nlines"',
      'test "$TOKEN" = hunter2',
      {
        secrets: [Secret.fromDict({ TOKEN: "hunter2" })],
      },
    );
  const { dockerfile } = await exportDockerfile(client, image, { directory: place.path("out"), uv });
  expect(dockerfile).toBe(await dockerfileOf(client, image));
  await run("mv", [place.path("out"), place.path("moved")]);
  const { host, user, password } = registry;
  const auth = Buffer.from(`${user}:${password}`).toString("base64");
  await place.write({ "docker/config.json": JSON.stringify({ auths: { [host]: { auth } } }) });
  const env = {
    ...process.env,
    DOCKER_CONFIG: place.path("docker"),
    PATH: `${binaries}:${process.env["PATH"]}`,
    BUILDKIT_HOST: buildkit.address,
    TOKEN: "hunter2",
  };
  await run(place.path("moved/build.sh"), ["--progress", "plain"], { env });
  await access(place.path("moved/image.tar"));
  expect(await readFile(place.path("moved/build.sh"), "utf8")).not.toContain("hunter2");
});

test("an export replaces an earlier one and touches nothing else", async () => {
  await using place = await workspace();
  await place.write({ a: "a", "mine/notes.txt": "keep" });
  const image = Image.debianSlim({ pythonVersion: "3.13" });
  await expect(exportDockerfile(client, image, { directory: place.path("mine"), uv })).rejects.toMatchObject({ code: "INVALID_INPUT" });
  await exportDockerfile(client, image.copyLocalFile(place.path("a"), "/a"), { directory: place.path("out"), uv });
  await exportDockerfile(client, image.env({ A: "1" }), { directory: place.path("out"), uv });
  await expect(access(place.path("out/contexts/lamina-files-1"))).rejects.toMatchObject({ code: "ENOENT" });
});
