/** What a container of a function needs, gathered side by side, and its start. */
import { join } from "node:path";
import { LaminaError, type ServedFunction } from "@lamina/api";
import { formatReference } from "@lamina/registry";
import type { ControlPlane } from "@lamina/service";
import type { ContainerPlace, ContainerSpec, FunctionContainers } from "../engine/function-containers.ts";
import { startFailureOf } from "../engine/start-failure.ts";
import type { Code } from "./code.ts";
import { BrokenError, type Container, ContainerGone, startContainer } from "./container.ts";
import type { LogWriter } from "./logs.ts";

export interface LaunchContext {
  readonly containers: FunctionContainers;
  readonly code: Code;
  readonly controlPlane: Pick<ControlPlane, "functions">;
  readonly registryHost: string;
  /** The directory of the harnesses. */
  readonly harness: string;
  /** A file of certificate authorities that functions trust, where a proxy inspects HTTPS. */
  readonly caBundle: string | undefined;
  readonly signal: AbortSignal;
}

const HARNESS = "/lamina/harness";
const NODE = "/lamina/node";
const HEAP_SHARE = 0.75;
const CA_FILE = "/lamina/ca.pem";
const CA_VARIABLES = ["SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS"];

/** Fetches what is not here yet. */
export async function prepare(served: ServedFunction, { containers, code, registryHost, signal }: LaunchContext) {
  const { repository, digest, host = registryHost } = served.image;
  const [image, codeDirectory] = await Promise.all([
    containers.prepare(formatReference({ host, repository, digest }), signal),
    code.stage(served.code, served.codeLocation, signal),
  ]);
  return { image, codeDirectory };
}

export interface Launch {
  readonly served: ServedFunction;
  /** CDI devices that are the container's. */
  readonly devices: readonly string[];
  readonly logs: LogWriter;
  /** Told as soon as there is a container. */
  readonly onStarted: (container: Container) => void;
}

/** What a container has that a proxy's certificates are to be trusted in. */
export function trusting(caBundle: string | undefined): Pick<ContainerSpec, "environment" | "readOnly"> {
  if (caBundle === undefined) return { environment: {}, readOnly: [] };
  return {
    environment: Object.fromEntries(CA_VARIABLES.map((name) => [name, CA_FILE])),
    readOnly: [{ source: caBundle, target: CA_FILE }],
  };
}

/** What all containers of a function have: its code, what runs that, the values of its secrets. */
export async function furnish(
  served: ServedFunction,
  context: LaunchContext,
): Promise<Pick<ContainerSpec, "image" | "environment" | "readOnly">> {
  const { controlPlane, harness, caBundle } = context;
  const [{ image, codeDirectory }, secrets] = await Promise.all([
    prepare(served, context),
    controlPlane.functions.secrets({ id: served.id }),
  ]);
  const trust = trusting(caBundle);
  return {
    image,
    environment: { ...trust.environment, ...secrets },
    readOnly: [
      { source: harness, target: HARNESS },
      { source: codeDirectory, target: "/lamina/code" },
      ...(served.entry.language === "typescript" ? [{ source: process.execPath, target: NODE }] : []),
      ...trust.readOnly,
    ],
  };
}

/** Starts a container and waits until it can be called. @throws {BrokenError}, {ContainerGone}, {LaminaError} */
export async function launch({ served, devices, logs, onStarted }: Launch, context: LaunchContext): Promise<Container> {
  const { containers } = context;
  const furnished = await furnish(served, context);
  for (const command of commandsOf(served)) {
    const place: ContainerPlace = await containers.place();
    const container = await startContainer({
      ...furnished,
      containers,
      place,
      command,
      served,
      devices,
      logs,
    });
    onStarted(container);
    try {
      await container.ready;
      return container;
    } catch (error) {
      if (error instanceof BrokenError) {
        container.kill();
        throw error;
      }
      if (!(error instanceof ContainerGone && startFailureOf(error.exit.said, command[0] ?? "")?.exitCode === 127)) throw error;
      await container.exited;
    }
  }
  const program =
    served.entry.language === "python" ? "Python: neither python3 nor python is in its PATH" : "the C library that Node.js needs";
  throw new LaminaError({ code: "FUNCTION_BROKEN", message: `The function's image has no ${program}.` });
}

function commandsOf({ entry, memoryMib }: ServedFunction): string[][] {
  // Node.js does not see what memory the container may have, and would leave garbage until there is none.
  const heap = `--max-old-space-size=${Math.floor(memoryMib * HEAP_SHARE)}`;
  if (entry.language === "typescript") return [[NODE, heap, join(HARNESS, "node.mjs")]];
  return ["python3", "python"].map((python) => [python, join(HARNESS, "python.py")]);
}
