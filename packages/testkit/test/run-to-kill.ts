/** A test run that is killed: starts shared servers and a platform, prints where they are, and waits. */
import { readTestConfig } from "../src/config.ts";
import { testPlatform } from "../src/platform.ts";
import { sharedServers } from "../src/shared-servers.ts";

const servers = await sharedServers({ ...readTestConfig(), runningServers: undefined }).addresses();
const platform = await testPlatform({ servers, builders: {}, uv: "none" });
console.log(JSON.stringify({ servers, platform: platform.directory }));
