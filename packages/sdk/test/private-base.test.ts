/** An image on a base of a private registry, through the whole platform. */
import { randomUUID } from "node:crypto";
import { builderVersion, DEFAULT_BUILDER_VERSION } from "@lamina/ir";
import {
  findSecrets,
  type OwnServers,
  ownServers,
  privateBase,
  privateRegistry,
  type TestPlatform,
  testPlatform,
  watchProcesses,
} from "@lamina/testkit";
import { buildImage, type Client, type ClientEvent, connect, exportDockerfile, Image, imageState, planImage, Secret } from "lamina";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lookInside } from "./support/look-inside.ts";
import { workspace } from "./support/workspace.ts";

let servers: OwnServers;
let platform: TestPlatform;
let client: Client;

beforeAll(async () => {
  servers = await ownServers();
  platform = await testPlatform({ servers, uv: builderVersion(DEFAULT_BUILDER_VERSION)?.uv ?? "" });
  client = await connect({ url: platform.url, token: platform.clientToken });
});
afterAll(async () => {
  await platform?.[Symbol.asyncDispose]();
  await servers?.[Symbol.asyncDispose]();
});

test.each(["basic", "bearer"] as const)(
  "a base behind %s credentials is built on by who has them, and they are left nowhere and seen by no step, the setup neither",
  async (auth) => {
    await using registry = await privateRegistry(auth);
    const { username, password } = registry.credentials;
    const content = `private-${randomUUID()}`;
    const reference = await privateBase(registry, content);
    const setupDockerfileCommands = ['RUN echo "[$REGISTRY_USERNAME$REGISTRY_PASSWORD]" >/seen; export -p >/environment'];
    const on = (secret?: Secret) =>
      Image.fromRegistry(reference, { secret, setupDockerfileCommands }).runCommands("cat /private /seen > /copy", "sleep 0.3");

    const wrong = Secret.fromDict({ REGISTRY_USERNAME: username, REGISTRY_PASSWORD: "not-the-password" });
    const before = await client.builds.list(10);
    for (const image of [on(), on(wrong)]) {
      await expect(buildImage(client, image)).rejects.toMatchObject({
        code: "BASE_UNAUTHORIZED",
        message: expect.not.stringContaining("not-the-password"),
        info: { source: imageState(image).sources[0] },
      });
    }
    expect(await client.builds.list(10)).toEqual(before);

    const image = on(Secret.fromDict({ REGISTRY_USERNAME: username, REGISTRY_PASSWORD: password }));
    const planned = await planImage(client, image);
    expect(planned.layers.map(({ status }) => status)).toEqual(["hit", "missing", "missing"]);
    await using place = await workspace();
    const uv = () => Promise.reject(new Error("uv is not needed"));
    const { dockerfile } = await exportDockerfile(client, image, { directory: place.path("out"), uv });
    expect(dockerfile).toContain(`FROM ${planned.base.reference}`);

    const values = { password, ...Object.fromEntries(registry.tokens().map((token, index) => [`token ${index}`, token])) };
    const events: ClientEvent[] = [];
    const watch = watchProcesses(values);
    const result = await buildImage(client, image, { onEvent: (event) => events.push(event) });
    await watch.stop();
    expect(watch.seen()).toEqual([]);
    expect(await lookInside(client, result, "cat", "/copy")).toBe(`${content}[]`);
    expect(result.ref).not.toContain(registry.host);
    const again = await buildImage(client, image);
    expect(again).toMatchObject({ id: planned.image, ref: result.ref, layers: [{ status: "hit" }, { status: "hit" }, { status: "hit" }] });
    await expect(buildImage(client, on())).rejects.toMatchObject({ code: "BASE_UNAUTHORIZED" });

    const tokens = Object.fromEntries(registry.tokens().map((token, index) => [`token ${index}`, token]));
    const places = {
      directories: [platform.directory, servers.directory, registry.directory, place.path("out")],
      nats: servers.nats,
      databases: [platform.databaseUrl],
      texts: { events: JSON.stringify(events), plan: JSON.stringify(planned), images: JSON.stringify(await client.images.list()) },
    };
    const finds = await findSecrets({ password, ...tokens, content }, places);
    expect(finds.filter(({ secret }) => secret !== "content")).toEqual([]);
    expect(finds.map(({ place }) => place).join("\n")).toMatch(/registry\/data\/.*\/data/);
  },
);
