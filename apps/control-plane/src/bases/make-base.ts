import { LaminaError } from "@lamina/api";
import type { Logger } from "@lamina/service";
import type { RegistryConfig } from "../config.ts";
import { execa, ExecaError } from "execa";

export interface MakeBaseOptions {
  readonly credentials: RegistryConfig["credentials"];
  readonly command: readonly [string, ...string[]];
  /** Of Python, as in `3.13`. */
  readonly version: string;
  /** Where the base is pushed to: `host/repository:tag`. */
  readonly target: string;
  readonly logger: Logger;
}

/** Runs the command that makes and pushes a base; this may take minutes. @throws {LaminaError} BASE_NOT_FOUND with its last words */
export async function makeBase(options: MakeBaseOptions): Promise<void> {
  const { version, target, credentials, logger } = options;
  const [program, ...args] = options.command;
  const env = { ...OWN_SECRETS, REGISTRY_USERNAME: credentials?.username, REGISTRY_PASSWORD: credentials?.password };
  logger.info({ version, target }, "making a base");
  try {
    const child = execa(program, [...args, version, target], { stdin: "ignore", lines: true, env });
    for await (const line of child.iterable({ from: "stderr" })) logger.info({ version, line }, "making a base");
    await child;
  } catch (cause) {
    if (!(cause instanceof ExecaError)) throw cause;
    const message = `The Debian base with Python ${version} could not be made: ${lastLine(cause.stderr) ?? cause.shortMessage}`;
    throw new LaminaError({ code: "BASE_NOT_FOUND", reason: "unknown-python-version", message }, { cause });
  }
}

/** The command inherits the environment but for what it has no use for. */
const OWN_SECRETS = {
  LAMINA_DATABASE_URL: undefined,
  LAMINA_SECRET_KEY: undefined,
  LAMINA_CLIENT_TOKEN: undefined,
  LAMINA_WORKER_TOKEN: undefined,
  LAMINA_NATS_PASSWORD: undefined,
};

function lastLine(lines: unknown): string | undefined {
  if (!Array.isArray(lines)) return undefined;
  const last: unknown = lines.findLast((line) => typeof line === "string" && line.trim() !== "");
  return typeof last === "string" ? last.trim() : undefined;
}
