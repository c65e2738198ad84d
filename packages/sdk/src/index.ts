/** What users import, and what the command line needs beside it. */
export { Image, type DebianSlimOptions, type FromRegistryOptions } from "./image.ts";
export type {
  CopyLocalDirOptions,
  DockerfileCommandsOptions,
  PipInstallOptions,
  PoetryInstallOptions,
  RunFunctionOptions,
  RunOptions,
} from "./arguments.ts";
export type { Condition } from "./local/condition.ts";
export { Secret } from "./secret.ts";
export {
  App,
  type AppClass,
  type AppFunction,
  type RegisteredFunction,
  imagesOf,
  appsOf,
  definitionOf,
  isFunction,
  type Lifecycle,
  type NamedImage,
} from "./app.ts";
export type { AppState, FunctionDefinition } from "./functions/definition.ts";
export { handlerOf, parametersOf } from "./functions/parameters.ts";
export { Call, type GetOptions, spawnCall } from "./functions/call.ts";
export type { Inputs, MapOptions } from "./functions/map.ts";
export type { FunctionOptions, PythonOptions, Retries } from "./functions/options.ts";
export type { AnyHandler, Handler, RemoteFunction, RemoteMethods, ResultOf } from "./functions/remote.ts";
export { deployApp, type DeployOptions } from "./functions/deploy.ts";
export type { LookedUpApp } from "./functions/lookup.ts";
export { type Session, type SessionOptions, startSession } from "./functions/session.ts";
export { decodeValue, encodeValue, ValueProblem } from "./values/codec.ts";
export type { Input } from "./values/transfer.ts";

export { isImage, imageState, type ImageState } from "./image-state.ts";
export { type AnyImage, type ImagePlan, planImage, type PlanOptions } from "./plan.ts";
export { buildImage, type BuildOptions, type BuildResult, type ClientEvent, followBuild } from "./build.ts";
export { type LayerResult, layersAfter } from "./layer-results.ts";
export { type DockerfileExport, dockerfileOf, exportDockerfile, type ExportOptions } from "./dockerfile.ts";
export { type Client, connect } from "./client/client.ts";
export { findPlatform, namedPlatform, type PlatformAddress, PlatformFile } from "./client/platform.ts";
export { sdkConfig } from "./config.ts";
export { asLaminaError } from "./failure.ts";
export { VERSION } from "./version.ts";

export {
  badInput,
  type ErrorCode,
  type ErrorInfo,
  type ErrorReason,
  exitCodeOf,
  LaminaError,
  laminaError,
  REASONS,
  SourceLocation,
} from "@lamina/api";
export type { AppInfo, Call as CallInfo, Deployment, LogBatch, ParameterNames } from "@lamina/api";
export type { Build, BuildEvent, BuildOwnEvent, BuiltImage, PlannedLayer, PlatformInfo, RunEvent, SecretInfo } from "@lamina/api";
export { INPUT_BYTES, type OpenShellInput, type ShellCommand, type ShellEvent, type TerminalSize, UNSEEN_BYTES } from "@lamina/api";
export { builderVersion, builderVersionNames, type Definition } from "@lamina/ir";
