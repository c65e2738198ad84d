import { readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publishBase, startServers, stopLeftovers, uvBinary } from "@lamina/servers";
import { addressesSchema, type TestServers } from "./addresses.ts";
import type { TestConfig } from "./config.ts";
import { SERVERS_PREFIX, serversDirectory } from "./own-servers.ts";
import { PLATFORM_PREFIX } from "./platform-directory.ts";

/** The servers of one test run. They start when they are first asked for. */
export interface SharedServers {
  addresses(): Promise<TestServers>;
  /** The base with that Python in the run's registry, by digest. */
  base(python: string): Promise<string>;
  /** The path of the uv of that version. */
  uv(version: string): Promise<string>;
  stop(): Promise<void>;
}

export function sharedServers(config: TestConfig): SharedServers {
  let started: Promise<StartedServers> | undefined;
  const bases = new Map<string, Promise<string>>();
  const addresses = async (): Promise<TestServers> => (await (started ??= start(config))).addresses;
  return {
    addresses,
    base(python) {
      const known = bases.get(python) ?? addresses().then((servers) => pushBase(config, servers, python));
      bases.set(python, known);
      return known;
    },
    uv: (version) => uvBinary({ cache: config.cache, version }),
    async stop() {
      await Promise.allSettled(bases.values());
      await (await started)?.stop();
    },
  };
}

interface StartedServers {
  readonly addresses: TestServers;
  stop(): Promise<void>;
}

async function start(config: TestConfig): Promise<StartedServers> {
  if (config.runningServers !== undefined) {
    const addresses = addressesSchema.parse(JSON.parse(await readFile(config.runningServers, "utf8")));
    return { addresses, stop: async () => undefined };
  }
  await removeAbandoned();
  const directory = await serversDirectory();
  const servers = await startServers({ directory, cache: config.cache, report: (line) => console.error(line) });
  return {
    addresses: addressesSchema.parse(servers),
    async stop() {
      await servers.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Ends and removes what test runs that were killed have left. */
async function removeAbandoned(): Promise<void> {
  const names = await readdir(tmpdir());
  // Our own processes first, which end sooner while their servers are there.
  for (const prefix of [PLATFORM_PREFIX, SERVERS_PREFIX]) {
    const directories = names.filter((name) => name.startsWith(prefix)).map((name) => join(tmpdir(), name));
    await Promise.all(
      directories.map(async (directory) => {
        if (await stopLeftovers(directory)) await rm(directory, { recursive: true, force: true });
      }),
    );
  }
}

async function pushBase(config: TestConfig, servers: TestServers, python: string): Promise<string> {
  return publishBase({
    python,
    target: `${servers.registry.host}/bases/python:${python}-slim`,
    credentials: servers.registry,
    cache: config.cache,
    report: (line) => console.error(line),
  });
}
