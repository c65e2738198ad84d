/** The examples of the API's reference, in Python: built, and their functions run. What lies outside has stand-ins of the same kind. */
import { join } from "node:path";
import { builderVersion, DEFAULT_BUILDER_VERSION } from "@lamina/ir";
import {
  base,
  gitServer,
  gpuStandIn,
  packageIndex,
  serve,
  servers,
  tagImage,
  type TestPlatform,
  testPlatform,
  TORCH_OF_DEBIAN,
  webPage,
  wheelOf,
} from "@lamina/testkit";
import { buildImage, connect, Image } from "lamina";
import { afterAll, beforeAll } from "vitest";
import { pytestFile } from "./support/pytest.ts";

const MINUTES = 60_000;
const TOKENS = { git: "ghp_0123456789abcdef", index: "index-0123456789abcdef" };
const SITE = `
<a href="https://one.example/a">a</a> <a href="https://one.example/b">b</a> <a href="http://two.example/">c</a> <a href="/here">d</a>`;
/** Where Debian with Python is in the registry. */
const BASES = "bases-of-the-reference";
/** What the address of Poetry's installer gives: a script for Python. */
const POETRY_INSTALLER = "print('Poetry would be here now')\n";

const cleanUp = new AsyncDisposableStack();
let environment: Readonly<Record<string, string>>;

beforeAll(async () => {
  const cdi = await gpuStandIn();
  const platform = cleanUp.use(
    await testPlatform({
      uv: builderVersion(DEFAULT_BUILDER_VERSION)?.uv ?? "",
      environment: { LAMINA_BASE_REGISTRY: `${(await servers()).registry.host}/${BASES}` },
      runners: { "runner-t4": { LAMINA_POOL: "T4", LAMINA_GPUS: "0,1", LAMINA_CDI: cdi } },
    }),
  );
  const registry = await standIns(platform);
  const library = join(import.meta.dirname, "../../sdk/examples/multi-stage/custom-lib");
  const git = cleanUp.use(await gitServer(TOKENS.git, { "custom-lib": library }));
  const index = cleanUp.use(
    await packageIndex(TOKENS.index, [wheelOf({ module: "private_package", version: "99.0", source: "ANSWER = 42\n" })]),
  );
  environment = {
    LAMINA_URL: platform.url,
    LAMINA_TOKEN: platform.clientToken,
    EXAMPLE_PAGE: cleanUp.use(await webPage(SITE)).url,
    EXAMPLE_REGISTRY: registry,
    EXAMPLE_POETRY_INSTALLER: `http://${cleanUp.use(await serve((_, response) => response.end(POETRY_INSTALLER))).host}`,
    EXAMPLE_CUSTOM_LIB: `http://${git.host}/published/custom-lib.git`,
    EXAMPLE_GIT_SERVER: git.host,
    EXAMPLE_GIT_TOKEN: TOKENS.git,
    EXAMPLE_INDEX: index.host,
    EXAMPLE_INDEX_TOKEN: TOKENS.index,
  };
}, 10 * MINUTES);
afterAll(() => cleanUp.disposeAsync());

/**
 * Puts what the examples start from under the names that they have for it. Debian with Python is that of other tests with what the
 * examples take for granted: git, Python's headers, and no numpy 2, for which pandas 2.0.0 was not built, as it does not say.
 * @returns the registry's host
 */
async function standIns({ url, clientToken: token }: TestPlatform): Promise<string> {
  const client = await connect({ url, token });
  const constraints = "/etc/lamina-test-constraints";
  const debian = Image.fromRegistry(await base("3.11"))
    .aptInstall("git", "python3-dev")
    .runCommands(`echo 'numpy<2' > ${constraints}`)
    .env({ UV_CONSTRAINT: constraints });
  await tagImage((await buildImage(client, debian)).ref, { repository: `${BASES}/python`, tag: "3.11-slim" });
  const cuda = Image.fromRegistry(await base("3.13")).runCommands(...TORCH_OF_DEBIAN);
  return tagImage((await buildImage(client, cuda)).ref, { repository: "nvidia/cuda", tag: "11.8-devel-ubuntu22.04" });
}

pytestFile("test_reference_examples.py", async () => environment);
