export { serverBinaries } from "./binaries.ts";
export { startServers, type EmbeddedServers, type ServerAddresses, type StartOptions } from "./embedded.ts";
export { supervise, type ServerProcess, type Supervised } from "./supervise.ts";
export { uvBinary } from "./uv.ts";
