import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { identify, runningServers } from "@lamina/servers";
import { expect, test } from "vitest";
import { addressesSchema } from "../src/addresses.ts";
import { readTestConfig } from "../src/config.ts";
import { sharedServers } from "../src/shared-servers.ts";

test("what a killed run left behind is ended and removed by the next", async () => {
  const run = spawn(process.execPath, [`${import.meta.dirname}/run-to-kill.ts`], { stdio: ["ignore", "pipe", "inherit"] });
  const [printed] = await once(run.stdout, "data");
  const { containerd } = addressesSchema.parse(JSON.parse(String(printed)));
  const directory = dirname(dirname(containerd.hostsDirectory));
  const left = await runningServers(directory);
  expect(left).not.toEqual([]);
  const closed = once(run, "close");
  run.kill("SIGKILL");
  await closed;

  const next = sharedServers({ ...readTestConfig(), runningServers: undefined });
  try {
    await next.addresses();
    expect(existsSync(directory)).toBe(false);
    expect((await Promise.all(left.map(({ pid }) => identify(pid)))).filter(Boolean)).toEqual([]);
  } finally {
    await next.stop();
  }
});
