import { expect, test } from "vitest";
import { runCommand } from "../src/command.ts";
import { uvBinary } from "../src/uv.ts";
import { CACHE } from "./support.ts";

test("uv is the version that was asked for and needs no library", { timeout: 120_000 }, async () => {
  const uv = await uvBinary({ cache: CACHE, version: "0.13.9" });
  expect(await runCommand(uv, ["--version"])).toContain("0.13.9");
  expect(await runCommand("sh", ["-c", `ldd ${uv} 2>&1 || true`])).toMatch(/not a dynamic executable|statically linked/);
});
