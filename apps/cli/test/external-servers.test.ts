import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { base, freshDatabase, freshNamespace, servers, sharedEnvironment } from "@lamina/testkit";
import { expect, test } from "vitest";
import { z } from "zod";
import { cli, jsonLines } from "./support/cli.ts";

const Processes = z.array(z.object({ name: z.string() }));

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
  // Of the GPUs that another test may have described to this BuildKit there are more builders.
  const own = Processes.parse(status?.["processes"]).filter(({ name }) => !name.startsWith("builder-"));
  expect(own).toEqual([{ name: "builder" }, { name: "containerd" }, { name: "control-plane" }, { name: "runner" }]);
  const doctor = jsonLines(await cli(["doctor", "--json"], { env }));
  for (const name of ["postgres", "nats", "registry", "buildkit"]) {
    expect(doctor).toContainEqual({ type: "finding", name, state: "ok", detail: expect.stringContaining("named by the environment") });
  }

  const elsewhere = await cli(["up"], { env: { ...env, LAMINA_URL: "http://127.0.0.1:9", LAMINA_TOKEN: "of another" } });
  expect(elsewhere.stderr).toContain("http://127.0.0.1:9, not this one");
  const without = { LAMINA_HOME: home };
  expect((await cli(["images"], { env: without })).stderr).toContain(`registry ${registry.host}, and the environment names none`);
  expect(jsonLines(await cli(["doctor", "--json"], { env: without }))).toContainEqual(
    expect.objectContaining({ type: "finding", name: "environment", state: "warning" }),
  );
});

test("doctor asks each server that the environment names, before a platform is up", async () => {
  const home = await mkdtemp(path.join(tmpdir(), "lamina-home-"));
  await using cleanUp = new AsyncDisposableStack();
  cleanUp.defer(() => rm(home, { recursive: true, force: true }));
  const env = {
    LAMINA_HOME: home,
    LAMINA_DATABASE_URL: "postgres://user:hidden@127.0.0.1:9/lamina",
    LAMINA_NATS_URL: "nats://127.0.0.1:9",
    LAMINA_REGISTRY: "127.0.0.1:9",
    BUILDKIT_HOST: "tcp://127.0.0.1:9",
  };
  const outcome = await cli(["doctor", "--json"], { env });
  expect(outcome.exitCode).toBe(3);
  for (const name of ["postgres", "nats", "registry", "buildkit"]) {
    expect(jsonLines(outcome)).toContainEqual({ type: "finding", name, state: "broken", detail: expect.stringContaining("127.0.0.1:9") });
  }
  expect(outcome.stdout).not.toContain("hidden");
});
