/** A process that supervises a set of servers until it is killed: `node supervisor.ts DIRECTORY CACHE`. */
import { startServers } from "../src/index.ts";

const [directory = "", cache = ""] = process.argv.slice(2);
await startServers({ directory, cache });
console.log("ready");
