/** A test run that is killed: starts shared servers, prints their addresses, and waits. */
import { readTestConfig } from "../src/config.ts";
import { sharedServers } from "../src/shared-servers.ts";

console.log(JSON.stringify(await sharedServers({ ...readTestConfig(), runningServers: undefined }).addresses()));
