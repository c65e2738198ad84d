import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { basePythons, publishBase, type EmbeddedServers } from "../src/index.ts";
import { runCommand } from "../src/command.ts";
import { CACHE, startIn, temporaryDirectory } from "./support.ts";

let servers: EmbeddedServers;
const resources = new AsyncDisposableStack();

beforeAll(async () => {
  const directory = resources.use(await temporaryDirectory());
  servers = resources.use(await startIn(directory.path));
});

afterAll(() => resources.disposeAsync());

async function publish(python: string): Promise<string> {
  return publishBase({
    python,
    target: `${servers.registry.host}/bases/python:${python}-slim`,
    credentials: servers.registry,
    cache: CACHE,
    report: () => undefined,
  });
}

async function ctr(...args: readonly string[]): Promise<string> {
  return runCommand(join(servers.containerd.tools, "ctr"), ["--address", servers.containerd.address, ...args]);
}

test.each(basePythons())(
  "the base with Python %s has bare python and pip that install, and nothing that apt left",
  { timeout: 300_000 },
  async (python) => {
    const reference = await publish(python);
    expect(reference).toMatch(new RegExp(`^${servers.registry.host}/bases/python@sha256:[0-9a-f]{64}$`));
    const { user, password } = servers.registry;
    await ctr("image", "pull", "--plain-http", "--user", `${user}:${password}`, reference);
    const look = `
    python --version | cut -d. -f 1,2; pip --version | cut -d' ' -f 1; python -m venv /tmp/v && echo venv
    pip install --dry-run --no-index nothing-of-that-name 2>&1 | grep -o externally-managed
    ls /var/lib/apt/lists | grep -v -e lock -e partial -e auxfiles; pwd; echo "$PATH"`;
    const seen = await ctr("run", "--rm", "--net-host", reference, `look-${python}`, "sh", "-c", look);
    expect(seen.trim().split("\n")).toEqual([
      `Python ${python}`,
      "pip",
      "venv",
      "/",
      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ]);
  },
);

test("a base that is there is the same by digest", { timeout: 300_000 }, async () => {
  expect(await publish("3.13")).toBe(await publish("3.13"));
});

test("the error for a Python that cannot be had names those that can", async () => {
  await expect(publish("3.12")).rejects.toThrow("no Debian base with Python 3.12. Those that can be made: 3.9, 3.11, 3.13, 3.14.");
});
