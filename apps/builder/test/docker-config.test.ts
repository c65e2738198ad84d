import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CONFIG_DESCRIPTOR, dockerConfig, linkDockerConfig } from "../src/buildkit/docker-config.ts";
import { sealedFile } from "../src/buildkit/sealed-file.ts";

test("who inherits the credentials of registries reads them where Docker's tools look, and no file holds them", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "lamina-docker-config-"));
  cleanUp.defer(() => rm(directory, { recursive: true }));
  await linkDockerConfig(directory);
  const credentials = { username: "me", password: "a:password" };
  const config = await sealedFile(dockerConfig({ "127.0.0.1:5000": credentials, "docker.io": credentials, "ghcr.io": undefined }));
  cleanUp.defer(() => config.close());

  const file = join(directory, "config.json");
  // Twice, as buildctl may.
  const read = execFileSync("cat", [file, file], { stdio: ["ignore", "pipe", "inherit", config.fd], encoding: "utf8" });
  const auth = Buffer.from("me:a:password").toString("base64");
  const expected = JSON.stringify({ auths: { "127.0.0.1:5000": { auth }, "https://index.docker.io/v1/": { auth } } });
  expect(read).toBe(expected.repeat(2));
  expect(await readdir(directory)).toEqual(["config.json"]);
  expect(await readlink(file)).toBe(`/dev/fd/${CONFIG_DESCRIPTOR}`);
});
