/** A shell whose platform fails part by part, or whose client goes: it goes on, or it ends and says so, and nothing is left of it. */
import { freezeServer, functionLeftovers, killServer } from "@lamina/testkit";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startCli } from "../support/cli.ts";
import { type Seat, sitAtCli } from "../support/terminal.ts";
import { faultSite, type Site } from "./site.ts";

let site: Site;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "lamina-user-"));
  site = await faultSite({ runner: true });
  await writeFile(
    path.join(directory, "app.ts"),
    `import { Image } from "lamina";\nexport const image = Image.fromRegistry("${site.base}");\n`,
  );
});
afterAll(async () => {
  await site[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const SHELL = ["shell", "app.ts::image"];
const options = () => ({ env: { NO_COLOR: "1", LAMINA_URL: site.platform.url, LAMINA_TOKEN: site.platform.clientToken }, cwd: directory });

/** A shell that runs, and knows something. */
async function openShell(): Promise<Seat> {
  const seat = sitAtCli(SHELL, { ...options(), columns: 200, rows: 30 });
  seat.type("kept=before; echo rea''dy\r");
  await seat.see("ready");
  return seat;
}

/** What the shell knew is still there. */
async function expectToGoOn(seat: Seat): Promise<void> {
  seat.type('echo "still: $kept"\r');
  await seat.see("still: before");
  seat.type("exit 4\r");
  expect((await seat.ended).exitCode).toBe(4);
}

async function expectNothingLeft(): Promise<void> {
  await expect.poll(() => functionLeftovers(site.platform, site.servers)).toEqual([]);
}

test("a control plane that is killed is back before the shell ends: it goes on, and no byte is lost", async () => {
  const seat = await openShell();
  seat.type("for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do echo n$i; sleep 0.2; done\r");
  await seat.see("n3\r");
  const back = site.isBack("control-plane");
  await killServer(site.directoryOf("control-plane"), "control-plane");
  for (let number = 4; number <= 15; number += 1) await seat.see(`n${number}\r`);
  await back;
  await expectToGoOn(seat);
  await expectNothingLeft();
});

test("NATS that is killed is back before the shell ends: it goes on, and no byte is lost", async () => {
  const seat = await openShell();
  seat.type("for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do echo n$i; sleep 0.2; done\r");
  await seat.see("n3\r");
  const back = site.isBack("nats");
  await killServer(site.directoryOf("nats"), "nats");
  for (let number = 4; number <= 15; number += 1) await seat.see(`n${number}\r`);
  await back;
  await expectToGoOn(seat);
  await expectNothingLeft();
});

test("a runner that is killed ends its shells: the command line says so, and gives the terminal back", async () => {
  const seat = await openShell();
  const back = site.isBack("runner");
  await killServer(site.directoryOf("runner"), "runner");
  const { exitCode, settings, shown } = await seat.ended;
  expect({ exitCode, shown }).toEqual({ exitCode: 1, shown: expect.stringContaining("SHELL_LOST: ") });
  expect(settings).toEqual(expect.arrayContaining(["icanon", "echo", "isig", "opost"]));
  await back;
  await expectNothingLeft();
});

test("a runner that is stopped says so before it goes", async () => {
  const seat = await openShell();
  const back = site.isBack("runner");
  await killServer(site.directoryOf("runner"), "runner", "SIGTERM");
  expect(await seat.ended).toMatchObject({ exitCode: 1, shown: expect.stringContaining("SHELL_LOST: The runner was stopped") });
  await back;
  await expectNothingLeft();
});

test("a runner that does not answer is given up, and ends the shell when it goes on", async () => {
  const seat = await openShell();
  const { thaw } = await freezeServer(site.directoryOf("runner"), "runner", { alone: true });
  try {
    expect(await seat.ended).toMatchObject({ exitCode: 1, shown: expect.stringContaining("SHELL_LOST: ") });
  } finally {
    thaw();
  }
  await expectNothingLeft();
});

test("Ctrl-C leaves a shell whose platform does not answer", async () => {
  const seat = await openShell();
  const { thaw } = await freezeServer(site.directoryOf("control-plane"), "control-plane", { alone: true });
  try {
    seat.type("x");
    const pressing = setInterval(() => seat.type("\u0003"), 200);
    const { exitCode, settings, shown } = await seat.ended.finally(() => clearInterval(pressing));
    expect({ exitCode, shown }).toEqual({ exitCode: 130, shown: expect.stringContaining("does not answer") });
    expect(settings).toEqual(expect.arrayContaining(["icanon", "echo", "isig", "opost"]));
  } finally {
    thaw();
  }
  await expectNothingLeft();
});

test("a client that is killed takes its container with it", async () => {
  const running = startCli([...SHELL, "-c", "echo begun; sleep 601"], options());
  for await (const line of running) if (line === "begun") running.kill("SIGKILL");
  await running;
  await expectNothingLeft();
});
