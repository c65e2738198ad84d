import { createRegistry } from "@lamina/registry";
import { execa } from "execa";
import { expect, test } from "vitest";
import { gitServer, packageIndex, privateRegistry, wheelOf } from "../src/index.ts";

const TOKEN = "a-token";

test("the git server shows its repositories to those with the token alone", async () => {
  await using git = await gitServer(TOKEN);
  const list = (user: string, repository: string) =>
    execa("git", ["ls-remote", `http://${user}:@${git.host}/private/${repository}.git`, "HEAD"], { reject: false });
  for (const repository of ["repo", "sub"]) expect(await list(TOKEN, repository)).toMatchObject({ exitCode: 0 });
  expect((await list("nobody", "repo")).exitCode).not.toBe(0);
});

test("the package index shows its packages to those with the token alone", async () => {
  const wheel = wheelOf({ module: "a_project", version: "1.0", source: "ANSWER = 42\n" });
  await using index = await packageIndex(TOKEN, [wheel]);
  const get = (path: string, token = TOKEN) =>
    fetch(`http://${index.host}${path}`, { headers: { authorization: `Basic ${Buffer.from(`token:${token}`).toString("base64")}` } });
  expect(await (await get("/simple/a-project/")).text()).toContain(`/files/${wheel.name}`);
  expect(Buffer.from(await (await get(`/files/${wheel.name}`)).arrayBuffer()).equals(wheel.content)).toBe(true);
  expect(await (await get("/files/")).text()).toContain(`/files/${wheel.name}`);
  expect((await get("/simple/another/")).status).toBe(404);
  expect((await get("/simple/a-project/", "wrong")).status).toBe(401);
});

test.each(["basic", "bearer"] as const)("the private registry takes %s credentials, and no others", async (auth) => {
  await using registry = await privateRegistry(auth);
  const repository = (credentials: typeof registry.credentials | undefined) =>
    createRegistry({ host: registry.host, insecure: true, credentials }).repository("team/app");
  const { digest } = await repository(registry.credentials).putBlob({ bytes: Buffer.from("content") });
  expect(await repository(registry.credentials).hasBlob(digest)).toBe(true);
  await expect(repository(undefined).hasBlob(digest)).rejects.toMatchObject({ code: "UNAUTHORIZED" });
});
