/** Bases that lack what others have, each with a look inside what was built on it. */
import { builderVersion, DEFAULT_BUILDER_VERSION } from "@lamina/ir";
import { base, type TestPlatform, testPlatform, wheelOf } from "@lamina/testkit";
import { buildImage, type BuildResult, type Client, connect, Image } from "lamina";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { busyboxBase } from "./support/busybox-base.ts";
import { lookInside } from "./support/look-inside.ts";
import { thrownBy } from "./support/thrown-by.ts";
import { workspace, type Workspace } from "./support/workspace.ts";

const MINUTES = 60_000;
const wheel = wheelOf({ module: "local_package", version: "1.0", source: "ANSWER = 42\n" });

let platform: TestPlatform;
let client: Client;
let place: Workspace;
/** Debian 12 and 13 by their names; both have Python. */
const debian: Record<string, string> = {};
let withoutPython: Image;

beforeAll(async () => {
  [debian["bookworm"] = "", debian["trixie"] = ""] = await Promise.all([base("3.11"), base("3.13")]);
  platform = await testPlatform({ uv: builderVersion(DEFAULT_BUILDER_VERSION)?.uv ?? "" });
  client = await connect({ url: platform.url, token: platform.clientToken });
  withoutPython = Image.fromRegistry(debian["trixie"] ?? "").runCommands("rm -f /usr/bin/python* /usr/local/bin/python*");
  place = await workspace();
  await place.write({ [`wheels/${wheel.name}`]: Buffer.from(wheel.content), "src/main.txt": "main", "src/deep/x": "x" });
}, 5 * MINUTES);
afterAll(async () => {
  await place?.[Symbol.asyncDispose]();
  await platform?.[Symbol.asyncDispose]();
});

const build = (image: Image): Promise<BuildResult> => buildImage(client, image);
/** Commands that succeed inside an image, in a further layer; the large images need not be fetched by a runner then. */
const looks = (image: Image, ...commands: string[]): Promise<BuildResult> => build(image.runCommands(...commands));
const shell = (result: BuildResult, code: string) => lookInside(client, result, "sh", "-c", code);

describe.each(["bookworm", "trixie"])("Debian %s", (name) => {
  test("takes packages, commands, files, variables and instructions", { timeout: 3 * MINUTES }, async () => {
    const image = Image.fromRegistry(debian[name] ?? "", { setupDockerfileCommands: ["RUN useradd -m ada\nUSER ada\nWORKDIR /home/ada"] })
      .copyLocalDir(place.path("wheels"), "/wheels")
      .aptInstall("hello")
      .pipInstall("--no-index", "local-package", { findLinks: "/wheels" })
      .env({ A: "b" })
      .dockerfileCommands(["COPY --chown=ada src/*.txt ./\nRUN id -un > who && stat -c %U main.txt > owner"], {
        contextFiles: { src: place.path("src") },
      })
      .runCommands("hello > said");
    const result = await looks(
      image,
      `. /etc/os-release && [ "$VERSION_CODENAME" = ${name} ]`,
      `[ "$(cat who owner)" = "$(printf 'ada\\nada')" ] && [ "$(cat said)" = "Hello, world!" ]`,
      '[ "$A $PWD $(id -un)" = "b /home/ada ada" ]',
      "[ \"$(python3 -c 'import local_package; print(local_package.ANSWER)')\" = 42 ]",
    );
    expect(result.layers.map(({ operation }) => operation).slice(0, 2)).toEqual(["fromRegistry", "dockerfileCommands"]);
  });
});

test("Debian without Python takes packages, and pipInstall says that there is none", { timeout: 3 * MINUTES }, async () => {
  await looks(withoutPython.aptInstall("busybox-static"), "busybox true", "! command -v python3");
  await expect(build(withoutPython.pipInstall("six"))).rejects.toMatchObject({
    code: "STEP_FAILED",
    info: {
      lastLines: expect.arrayContaining([
        expect.stringMatching(/^This image has no Python: start from Image\.debianSlim\(\), or install python3/),
      ]),
    },
  });
});

describe("static programs alone", () => {
  let busybox: string;
  beforeAll(async () => {
    busybox = await busyboxBase(client, withoutPython);
  }, 3 * MINUTES);

  test("busybox shows a command nothing of ours, and says what it lacks", { timeout: 2 * MINUTES }, async () => {
    const image = Image.fromRegistry(busybox);
    expect(await shell(await build(image.runCommands("true")), "ls /dev/lamina 2>&1; true")).toBe(
      "ls: /dev/lamina: No such file or directory",
    );
    await expect(build(image.aptInstall("git"))).rejects.toMatchObject({
      info: { lastLines: expect.arrayContaining([expect.stringMatching(/^This image has no apt-get/)]) },
    });
  });

  test("scratch takes files, variables and a directory, and says that it has no shell", { timeout: 2 * MINUTES }, async () => {
    const image = Image.fromRegistry("scratch")
      .copyLocalFile(place.path("src/main.txt"), "/data/")
      .copyLocalDir(place.path("src/deep"), "/deep")
      .env({ A: "b c" })
      .workdir("/app");
    const result = await build(image);
    expect(result.layers.map(({ operation }) => operation)).toEqual(["fromRegistry", "copyLocalFile", "copyLocalDir", "env", "workdir"]);
    const looked = await build(image.dockerfileCommands([`COPY --from=${busybox} /bin/busybox /busybox`]));
    const look = (...command: string[]) => lookInside(client, looked, "/busybox", ...command);
    expect(await look("find", "/", "-xdev", "-type", "f", "-path", "*/d*")).toBe("/data/main.txt\n/deep/x");
    expect((await look("env")).split("\n")).toContain("A=b c");
    expect(await look("pwd")).toBe("/app");

    // What only the builder can tell: the files that are copied could be a shell.
    const noShell = {
      code: "STEP_FAILED",
      reason: "missing-shell",
      message: expect.stringMatching(/failed: the image has no \/bin\/sh, which it needs to run commands/),
    };
    await expect(build(image.runCommands("true"))).rejects.toMatchObject(noShell);
    await expect(build(image.pipInstall("six"))).rejects.toMatchObject(noShell);
    await expect(build(image.dockerfileCommands(["WORKDIR /x\nRUN true"]))).rejects.toMatchObject({
      ...noShell,
      message: expect.stringMatching(/^dockerfileCommands: command 1, line 2: RUN failed: the image has no \/bin\/sh/),
    });
  });

  test("scratch without a file says that it has no shell at the call, before anything is built", () => {
    const noShell = {
      code: "INVALID_INPUT",
      reason: "missing-shell",
      message: expect.stringMatching(/: the image has no \/bin\/sh, which it needs to run commands: "scratch" has no file/),
      info: { source: { file: import.meta.filename } },
    };
    const empty = Image.fromRegistry("scratch").env({ A: "1" }).workdir("/app");
    expect(thrownBy(() => empty.runCommands("true"))).toMatchObject(noShell);
    expect(thrownBy(() => empty.pipInstall("six"))).toMatchObject(noShell);
    expect(thrownBy(() => empty.dockerfileCommands(["WORKDIR /x\nRUN true"]))).toMatchObject({
      ...noShell,
      message: expect.stringMatching(/^dockerfileCommands: command 1, line 2: RUN: the image has no \/bin\/sh/),
    });
  });
});
