export { basePythons } from "./base-recipe.ts";
export { publishBase, type BaseRequest } from "./bases.ts";
export { serverBinaries } from "./binaries.ts";
export { startServers, type EmbeddedServers, type ServerAddresses, type StartOptions } from "./embedded.ts";
export { identify, isAlive, type ProcessIdentity } from "./process-identity.ts";
export { runningServers, type RunningServer } from "./running.ts";
export { stopLeftovers } from "./owner.ts";
export { supervise, type ServerProcess, type Supervised } from "./supervise.ts";
export { uvBinary } from "./uv.ts";
