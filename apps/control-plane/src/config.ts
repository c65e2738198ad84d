/** What the environment says, read once when the process starts. */
import type { Platform } from "@lamina/ir";
import { Address, isLoopback, natsVariables, readConfig, registryVariables } from "@lamina/service";
import { z } from "zod";

export interface RegistryConfig {
  /** As references name it. */
  readonly host: string;
  readonly insecure: boolean;
  readonly credentials: { readonly username: string; readonly password: string } | undefined;
}

export interface Config {
  readonly listen: Address;
  readonly databaseUrl: string;
  readonly nats: { readonly url: string; readonly user: string | undefined; readonly password: string | undefined };
  readonly namespace: string;
  readonly registry: RegistryConfig;
  /** What the names of our repositories in the registry begin with. */
  readonly repositoryPrefix: string;
  /** 32 bytes. */
  readonly secretKey: Uint8Array;
  readonly tokens: { readonly client: string; readonly worker: string };
  readonly workspace: string;
  /** `host[/path]` under which `python:<version>-slim` is looked for. */
  readonly baseRegistry: string;
  /** The command that makes a base where none can be pulled. */
  readonly baseMaker: readonly [string, ...string[]] | undefined;
  /** How long the holder of a lease may be silent before its work goes to another. */
  readonly leaseSeconds: number;
  /** How long a call can be asked for after its end. */
  readonly callsKeptDays: number;
  /** What builders make when a definition does not say. */
  readonly platform: Platform;
}

const DatabaseUrl = z.url({ protocol: /^postgres(ql)?$/, error: "must be postgres://…" });

const Environment = z.object({
  ...natsVariables,
  ...registryVariables,
  LAMINA_LISTEN: Address.prefault("127.0.0.1:7420"),
  LAMINA_DATABASE_URL: DatabaseUrl,
  LAMINA_REPOSITORY: z
    .string()
    .regex(/^[a-z0-9]+([._/-][a-z0-9]+)*$/, "must be lower-case parts of a repository name, joined by slashes")
    .default("lamina"),
  LAMINA_SECRET_KEY: z
    .base64()
    .transform((text) => Buffer.from(text, "base64"))
    .refine((key) => key.length === 32, "must be 32 bytes in base64"),
  LAMINA_CLIENT_TOKEN: z.string().min(16, "must have at least 16 characters"),
  LAMINA_WORKER_TOKEN: z.string().min(16, "must have at least 16 characters"),
  LAMINA_WORKSPACE: z
    .string()
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "must be lower-case letters and digits, joined by dashes")
    .default("default"),
  LAMINA_LEASE_SECONDS: z.coerce.number().min(1).max(3_600).default(15),
  // Their values are kept for a day, and none is to outlive its call.
  LAMINA_CALLS_KEPT_DAYS: z.coerce.number().int().min(1).max(3_650).default(7),
  LAMINA_BASE_REGISTRY: z.string().default("docker.io/library"),
  LAMINA_BASE_MAKER: z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue("must be a JSON array of strings");
        return z.NEVER;
      }
    })
    .pipe(z.tuple([z.string()], z.string()))
    .optional(),
});

/** @throws {ConfigError} */
export function configFrom(env: NodeJS.ProcessEnv): Config {
  const given = readConfig(Environment, env);
  const username = given.LAMINA_REGISTRY_USERNAME;
  return {
    listen: given.LAMINA_LISTEN,
    databaseUrl: given.LAMINA_DATABASE_URL,
    nats: { url: given.LAMINA_NATS_URL, user: given.LAMINA_NATS_USER, password: given.LAMINA_NATS_PASSWORD },
    namespace: given.LAMINA_NAMESPACE,
    registry: {
      host: given.LAMINA_REGISTRY,
      insecure: given.LAMINA_REGISTRY_INSECURE ?? isLoopback(given.LAMINA_REGISTRY),
      credentials: username === undefined ? undefined : { username, password: given.LAMINA_REGISTRY_PASSWORD ?? "" },
    },
    repositoryPrefix: given.LAMINA_REPOSITORY,
    secretKey: given.LAMINA_SECRET_KEY,
    tokens: { client: given.LAMINA_CLIENT_TOKEN, worker: given.LAMINA_WORKER_TOKEN },
    workspace: given.LAMINA_WORKSPACE,
    baseRegistry: given.LAMINA_BASE_REGISTRY,
    baseMaker: given.LAMINA_BASE_MAKER,
    leaseSeconds: given.LAMINA_LEASE_SECONDS,
    callsKeptDays: given.LAMINA_CALLS_KEPT_DAYS,
    platform: process.arch === "arm64" ? "linux/arm64" : "linux/amd64",
  };
}

/** For the scripts of developers, which need nothing but a database. @throws {ConfigError} */
export function databaseUrlFrom(env: NodeJS.ProcessEnv): string {
  return readConfig(z.object({ LAMINA_DATABASE_URL: DatabaseUrl }), env).LAMINA_DATABASE_URL;
}
