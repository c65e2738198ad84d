/** What a user without root has: a user is made for this file, with a home, a checkout and a cache of its own. */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { jsonLines } from "./support/cli.ts";
import { ordinaryUser, type OrdinaryUser } from "./support/ordinary-user.ts";

const IMAGE = `
import { Image } from "lamina";

export const image = Image.debianSlim()
  .runCommands("id -u >/id", "chown nobody /id", "runuser -u nobody -- sh -c 'id -un >/tmp/name'")
  .copyLocalDir("closed", "/closed");
`;

// Only root can make a user: that is why others skip this.
describe.skipIf(process.getuid?.() !== 0)("a user without root", () => {
  let user: OrdinaryUser;
  beforeAll(async () => {
    user = await ordinaryUser();
  });
  afterAll(async () => {
    await user[Symbol.asyncDispose]();
  });

  function lamina(...args: readonly string[]) {
    return user.run(["npx", "lamina", ...args]);
  }

  test(
    "gets through npm start: servers start, an image is built, a command runs in it; the second time all is there",
    { timeout: 180_000 },
    async () => {
      const first = await user.run(["npm", "start"]);
      expect(first).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/^quickstart: done in .*: 1 hit, 3 built$/m) });
      expect(first.stdout).toContain("| Hello from an image of your own |");

      const second = await user.run(["npm", "start"]);
      expect(second).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/^quickstart: done in .*: 4 hit, 0 built$/m) });
      expect(second.stdout).toContain("| Hello from an image of your own |");
    },
  );

  test("builds as root and as others of the image, from a directory that may not be written to, and runs what was built", async () => {
    const write = 'mkdir closed && echo kept > closed/file && chmod a-w closed && printf %s "$1" > image.ts';
    await user.run(["sh", "-c", write, "sh", IMAGE]);
    expect(await lamina("build", "image.ts")).toMatchObject({ exitCode: 0 });
    const look = "cat /id /tmp/name /closed/file; stat -c %U /id; id -un; ls /sys/kernel >/dev/null && exit 7";
    expect(await lamina("exec", "image.ts#image", "--", "sh", "-c", look)).toMatchObject({
      exitCode: 7,
      stdout: "0\nnobody\nkept\nnobody\nroot",
    });
  });

  test("has a shell in it, over pipes and at a terminal", async () => {
    const look = "cat /id; id -u; tty; stty size";
    expect(await lamina("shell", "image.ts#image", "-c", look)).toMatchObject({ stdout: "0\n0\nnot a tty" });
    const terminal = await user.run(["script", "-qec", `npx lamina shell image.ts#image -c '${look}'`, "/dev/null"]);
    expect(terminal).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("/dev/pts/0\r\n24 80") });
  });

  test("is told by doctor what does not work without root, and that nothing is broken", async () => {
    const doctor = await lamina("doctor", "--json");
    expect(doctor).toMatchObject({ exitCode: 0 });
    expect(jsonLines(doctor)).toContainEqual({
      type: "finding",
      name: "user",
      state: "warning",
      detail: expect.stringContaining(`${user.name}. BuildKit and containerd run in a user name space.`),
    });
  });

  test("is told by doctor which Debian packages are missing", async () => {
    const [node = ""] = globSync(path.join(user.home, ".cache/lamina/toolchain-*/node_modules/node-*/bin/node"));
    const doctor = await user.run([node, "apps/cli/bin/lamina.mjs", "doctor", "--json"], { PATH: "/nowhere" });
    const broken = jsonLines(doctor).filter(({ state }) => state === "broken");
    for (const [name, debianPackage] of Object.entries({ runc: "runc", newuidmap: "uidmap", unshare: "util-linux" })) {
      const detail = expect.stringContaining(`apt-get install ${debianPackage}.`);
      expect(broken).toContainEqual({ type: "finding", name, state: "broken", detail });
    }
  });

  test("has nothing left running after down", async () => {
    expect(user.processes()).not.toEqual([]);
    expect((await lamina("down")).exitCode).toBe(0);
    expect(user.processes()).toEqual([]);
    expect(readFileSync("/proc/mounts", "utf8")).not.toContain(user.home);
  });

  test("has nothing left running after a crash of the supervisor and a down", async () => {
    const up = await lamina("up", "--json");
    const pid = Number(jsonLines(up).at(-1)?.["pid"]);
    process.kill(pid, "SIGKILL");
    expect((await lamina("down")).exitCode).toBe(0);
    expect(user.processes()).toEqual([]);
  });
});
