/** Checks of the servers that the environment names, each asked for real. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import path from "node:path";
import { promisify } from "node:util";
import { registryUrl } from "@lamina/servers";
import type { Config } from "../config.ts";
import { addressesOf } from "../platform/external.ts";
import type { PlatformRecord } from "../platform/files.ts";
import { broken, type Finding, ok } from "./check.ts";

const ANSWERS_WITHIN_MS = 5_000;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { "postgres:": 5432, "postgresql:": 5432, "nats:": 4222, "tls:": 4222 };

/** @param platform the one that is up; it has the client of BuildKit, which is else looked for in PATH */
export async function checkExternal({ external }: Config, platform: PlatformRecord | undefined): Promise<Finding[]> {
  const { postgres, nats, registry, buildkit } = external;
  const checks: Readonly<Record<string, () => Promise<unknown>>> = {
    ...(postgres !== undefined && { postgres: () => reach(postgres.url) }),
    ...(nats !== undefined && { nats: () => reach(nats.url) }),
    ...(registry !== undefined && { registry: () => askRegistry(registry) }),
    ...(buildkit !== undefined && { buildkit: () => askBuildkit(buildkit.address, platform) }),
  };
  const addresses = addressesOf(external);
  return Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      const detail = `${addresses[name]}, named by the environment`;
      return check().then(
        () => ok(name, detail),
        (error: unknown) => broken(name, `${detail}: ${reasonOf(error)}`),
      );
    }),
  );
}

async function reach(url: string): Promise<void> {
  const { hostname, port, protocol } = new URL(url);
  const socket = connect({
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? (DEFAULT_PORTS[protocol] ?? 0) : Number(port),
  });
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) });
  } finally {
    socket.destroy();
  }
}

async function askRegistry(registry: NonNullable<Config["external"]["registry"]>): Promise<void> {
  const answer = await fetch(new URL("/v2/", registryUrl(registry)), { signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) });
  if (!answer.ok && answer.status !== 401) throw new Error(`it answers ${answer.status}`);
}

async function askBuildkit(address: string, platform: PlatformRecord | undefined): Promise<void> {
  const buildctl = platform === undefined ? "buildctl" : path.join(platform.binaries, "buildctl");
  await promisify(execFile)(buildctl, ["--addr", address, "debug", "workers"], { timeout: ANSWERS_WITHIN_MS });
}

/** The cause of a failed `fetch`, and the last line that a program said. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  return error.message.trim().split("\n").at(-1) ?? "";
}
