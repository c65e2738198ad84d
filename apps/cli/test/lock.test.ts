import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { flock, holdLock } from "../src/platform/lock.ts";

const home = mkdtempSync(join(tmpdir(), "lamina-lock-"));
afterAll(() => rmSync(home, { recursive: true }));

/** As a supervisor that is started in the background takes it. */
function isFree(): boolean {
  const [file = "", ...args] = flock(home);
  try {
    execFileSync(file, [...args, "true"]);
    return true;
  } catch {
    return false;
  }
}

test("a home has one supervisor, in the foreground or in the background", async () => {
  {
    using _lock = await holdLock(home);
    expect(isFree()).toBe(false);
    await expect(holdLock(home)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  }
  await expect.poll(isFree).toBe(true);
});
