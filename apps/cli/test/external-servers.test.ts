import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { base, freshDatabase, freshNamespace, servers, sharedEnvironment } from "@lamina/testkit";
import { expect, test } from "vitest";
import { cli, jsonLines } from "./support/cli.ts";

test("a Postgres, NATS, registry and BuildKit named in the environment are used, and none of our own is started", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const { nats, registry, buildkit } = await servers();
  await base("3.13");
  const database = cleanUp.use(await freshDatabase());
  const home = await mkdtemp(path.join(tmpdir(), "lamina-home-"));
  cleanUp.defer(() => rm(home, { recursive: true, force: true }));
  const env = {
    LAMINA_HOME: home,
    LAMINA_POSTGRES_URL: database.url,
    ...sharedEnvironment({ nats, registry }),
    LAMINA_REPOSITORY: freshNamespace(),
    LAMINA_BASE_REGISTRY: `${registry.host}/bases`,
    BUILDKIT_HOST: buildkit.address,
  };
  cleanUp.defer(async () => void (await cli(["down"], { env })));

  await writeFile(
    path.join(home, "image.ts"),
    'import { Image } from "lamina";\nexport const image = Image.debianSlim().runCommands("echo made >/made");\n',
  );
  const built = await cli(["build", "image.ts", "--json"], { env, cwd: home });
  const image = jsonLines(built).at(-1);
  expect(image).toMatchObject({ type: "image", ref: expect.stringContaining(`${registry.host}/${env.LAMINA_REPOSITORY}/`) });
  expect(await cli(["exec", String(image?.["id"]), "--", "cat", "/made"], { env })).toMatchObject({ exitCode: 0, stdout: "made" });

  const [status] = jsonLines(await cli(["status", "--json"], { env }));
  expect(status).toMatchObject({ processes: [{ name: "builder" }, { name: "containerd" }, { name: "control-plane" }, { name: "runner" }] });
  const doctor = jsonLines(await cli(["doctor", "--json"], { env }));
  for (const name of ["postgres", "nats", "registry", "buildkit"]) {
    expect(doctor).toContainEqual({ type: "finding", name, state: "ok", detail: expect.stringContaining("named by the environment") });
  }
});
