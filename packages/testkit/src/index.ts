export { archivedEvents } from "./archived-events.ts";
export { freshDatabase, type TestDatabase } from "./database.ts";
export { freshNamespace } from "./namespace.ts";
export { testControlPlane, type TestControlPlane } from "./control-plane.ts";
export { controlPlaneEnvironment, sharedEnvironment } from "./environment.ts";
export { gitServer, type GitServer } from "./git-server.ts";
export { packageIndex, type PackageFile, type PackageIndex } from "./package-index.ts";
export { gpuStandIn, type GpuStandInOptions } from "./gpu.ts";
export { projectOf } from "./python-project.ts";
export { tagImage } from "./tag-image.ts";
export { wheelOf } from "./wheel.ts";
export { type HttpServer, privateRegistry, type PrivateRegistry, serve } from "@lamina/registry/test-support";
export { base, servers, uv } from "./client.ts";
export { type FaultConfig, readFaultConfig } from "./config.ts";
export { type Apart, type ApartOptions, placesApart, reasonAgainstApart } from "./apart.ts";
export { type OwnServers, ownServers, type OwnServersOptions, serversDirectory } from "./own-servers.ts";
export { testPlatform, type PlatformOptions, type TestPlatform } from "./platform.ts";
export { platformDirectory } from "./platform-directory.ts";
export { privateBase } from "./private-base.ts";
export { tinyBase, tinyPython } from "./tiny-base.ts";

export { leftovers } from "./faults/leftovers.ts";
export { processes, type Process, treeOf } from "./faults/process-tree.ts";
export { freezeServer, type Frozen, killServer, supervisedTree } from "./faults/processes.ts";
export { faultyProxy, type FaultyProxy, type Network } from "./faults/proxy.ts";
export { type Random, seededRandom } from "./faults/random.ts";
export { smallDisk, type SmallDisk } from "./faults/small-disk.ts";

export { type Find, findSecrets, type ProcessWatch, type SearchedPlaces, type Sighting, watchProcesses } from "./secret-search/index.ts";
