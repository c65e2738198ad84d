export { Address, ConfigError, isLoopback, natsVariables, readConfig, registryVariables, Switch } from "./config.ts";
export { PackError } from "./contexts/packs.ts";
export { removeTree } from "./contexts/remove-tree.ts";
export { changeTree, type TreeStep } from "./contexts/stage-tree.ts";
export { indexOf, TreeError, type TreeIndex } from "./contexts/tree-changes.ts";
export { createTreeDirectories, type StagedTree, type TreeDirectories, type TreeDirectoriesOptions } from "./contexts/tree-directories.ts";
export { contextError, corrupt, readEntries, readTree, type Tree, type TreeSource } from "./contexts/trees.ts";
export { controlPlane, type ControlPlane, type ControlPlaneOptions } from "./control-plane.ts";
export {
  appendToFeed,
  type AppendOptions,
  FeedFencedError,
  type FeedTail,
  feedWriter,
  type FeedWriter,
  type FeedWriterOptions,
  readFeedTail,
} from "./feed.ts";
export { type HealthCheck, healthServer, type HealthServer } from "./health.ts";
export { type HeldLease, holdLease, type HoldLeaseOptions } from "./lease.ts";
export { createLogger, type Logger, type LoggerOptions, redactor } from "./logger.ts";
export { connectNats, ensureConsumer, ensureStreams, type NatsOptions } from "./nats.ts";
export { runService, type RunServiceOptions } from "./run.ts";
export {
  type RunWorkerOptions,
  runWorker,
  type WorkerConfig,
  workerConfig,
  workerLogger,
  type WorkerSurroundings,
  workerVariables,
} from "./worker.ts";
