import { mkdir, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { findPlatform } from "../src/client/platform.ts";
import { sdkConfig } from "../src/config.ts";
import { workspace } from "./support/workspace.ts";

test("the environment names the platform, else the file of the embedded one does", async () => {
  await using place = await workspace();
  const home = place.path("home");
  await mkdir(home);
  await writeFile(`${home}/platform.json`, JSON.stringify({ url: "http://127.0.0.1:1", token: "t", pid: 1 }));
  expect(await findPlatform(sdkConfig({ LAMINA_HOME: home }))).toEqual({ url: "http://127.0.0.1:1", token: "t" });
  const named = { LAMINA_HOME: home, LAMINA_URL: "https://lamina.example", LAMINA_TOKEN: "s" };
  expect(await findPlatform(sdkConfig(named))).toEqual({ url: "https://lamina.example", token: "s" });
  await expect(findPlatform(sdkConfig({ ...named, LAMINA_TOKEN: "" }))).rejects.toMatchObject({ code: "UNAUTHORIZED" });
  await expect(findPlatform(sdkConfig({ ...named, LAMINA_URL: "here" }))).rejects.toMatchObject({ code: "INVALID_INPUT" });
});

test("without a platform the error says how to start one", async () => {
  await using place = await workspace();
  await expect(findPlatform(sdkConfig({ LAMINA_HOME: place.path("home") }))).rejects.toMatchObject({
    code: "UNREACHABLE",
    message: expect.stringContaining("`lamina up`"),
  });
});

test("a damaged file of the embedded platform is told apart from none", async () => {
  await using place = await workspace();
  await place.write({ "platform.json": "{" });
  await expect(findPlatform(sdkConfig({ LAMINA_HOME: place.directory }))).rejects.toMatchObject({
    code: "UNREACHABLE",
    message: expect.stringContaining("platform.json"),
  });
});

test("state lies where LAMINA_HOME says, else in the user's data directory", () => {
  expect(sdkConfig({ LAMINA_HOME: "/x" }).home).toBe("/x");
  expect(sdkConfig({ LAMINA_HOME: "x" }).home).toBe(`${process.cwd()}/x`);
  expect(sdkConfig({ XDG_DATA_HOME: "/data" }).home).toBe("/data/lamina");
  expect(sdkConfig({}).home).toMatch(/\/\.local\/share\/lamina$/);
});
