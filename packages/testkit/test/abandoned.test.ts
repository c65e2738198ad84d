import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { identify, runningServers } from "@lamina/servers";
import { expect, test } from "vitest";
import { z } from "zod";
import { addressesSchema } from "../src/addresses.ts";
import { readTestConfig } from "../src/config.ts";
import { sharedServers } from "../src/shared-servers.ts";

const Printed = z.object({ servers: addressesSchema, platform: z.string() });

test("what a killed run left behind is ended and removed by the next", async () => {
  const run = spawn(process.execPath, [`${import.meta.dirname}/run-to-kill.ts`], { stdio: ["ignore", "pipe", "inherit"] });
  const [printed] = await once(run.stdout, "data");
  const { servers, platform } = Printed.parse(JSON.parse(String(printed)));
  const directories = [servers.directory, platform];
  const left = (await Promise.all(directories.map(runningServers))).flat();
  expect(left.map(({ name }) => name)).toEqual(expect.arrayContaining(["postgres", "control-plane", "runner"]));
  const closed = once(run, "close");
  run.kill("SIGKILL");
  await closed;

  const next = sharedServers({ ...readTestConfig(), runningServers: undefined });
  try {
    await next.addresses();
    expect(directories.filter((directory) => existsSync(directory))).toEqual([]);
    expect((await Promise.all(left.map(({ pid }) => identify(pid)))).filter(Boolean)).toEqual([]);
  } finally {
    await next.stop();
  }
});
