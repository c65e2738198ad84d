/** What the command line reads from the environment, once. */
import { homedir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { badInput, namedPlatform, type PlatformAddress, sdkConfig } from "lamina";

export interface Config {
  /** The directory of all local state. */
  readonly home: string;
  /** The root of what is kept per user and can be made again: servers, bases, uv. */
  readonly cache: string;
  /** The platform to talk to, where one is named; else it is the local one. */
  readonly remote: PlatformAddress | undefined;
  /** Where the local control plane is to listen; else a free port on loopback. */
  readonly listen: string | undefined;
  /** Servers that are used instead of own ones. */
  readonly external: ExternalServers;
  /** Certificates that steps of a build are to trust, beside those of their image. */
  readonly caBundle: { readonly file: string; readonly from: string } | undefined;
  /** The registry of `python:X-slim`; Docker Hub's when it is not named. */
  readonly baseRegistry: string | undefined;
  /** Variables by which our own processes are tuned, handed on as they are. */
  readonly tuning: Readonly<Record<string, string>>;
  /** Of the terminal, where there is one. */
  readonly terminalType: string | undefined;
  /** Where programs are looked for. */
  readonly path: readonly string[];
}

export interface ExternalServers {
  readonly postgres?: { readonly url: string };
  readonly nats?: { readonly url: string; readonly user: string; readonly password: string };
  /** `insecure`: it is spoken to by HTTP. When nobody says, one on loopback is. */
  readonly registry?: { readonly host: string; readonly user: string; readonly password: string; readonly insecure?: boolean };
  readonly buildkit?: { readonly address: string };
}

const text = z.string().optional();

/** What our own processes check, in their own `src/config.ts`. */
const Tuning = z.object({
  LAMINA_BASE_REGISTRY: text,
  LAMINA_CALLS_KEPT_DAYS: text,
  LAMINA_CONCURRENCY: text,
  LAMINA_LEASE_SECONDS: text,
  LAMINA_LOG_LEVEL: text,
  LAMINA_NAMESPACE: text,
  LAMINA_REGISTRY_INSECURE: text,
  LAMINA_REPOSITORY: text,
  LAMINA_WORKSPACE: text,
});

/** What switches on; our own processes refuse what is no switch. */
const ON: ReadonlySet<string> = new Set(["1", "true", "yes", "on"]);

const Environment = z.object({
  PATH: text,
  TERM: text,
  XDG_CACHE_HOME: text,
  LAMINA_CACHE: text,
  LAMINA_LISTEN: text,
  LAMINA_DATABASE_URL: z.url().optional(),
  LAMINA_POSTGRES_URL: z.url().optional(),
  LAMINA_NATS_URL: z.url().optional(),
  LAMINA_NATS_USER: text,
  LAMINA_NATS_PASSWORD: text,
  LAMINA_REGISTRY: text,
  LAMINA_REGISTRY_USERNAME: text,
  LAMINA_REGISTRY_PASSWORD: text,
  BUILDKIT_HOST: text,
  LAMINA_CA_BUNDLE: text,
  SSL_CERT_FILE: text,
  NODE_EXTRA_CA_CERTS: text,
  ...Tuning.shape,
});
type Environment = z.infer<typeof Environment>;

/**
 * Reads the configuration; an empty variable counts as unset. What the SDK reads too is read by the SDK.
 * @throws INVALID_INPUT, and UNAUTHORIZED when LAMINA_URL comes without LAMINA_TOKEN
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const parsed = Environment.safeParse(Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== "")));
  if (!parsed.success) throw badInput("invalid-configuration", `The environment is not right:\n${z.prettifyError(parsed.error)}`);
  const env = parsed.data;
  const shared = sdkConfig(environment);
  return {
    home: shared.home,
    cache: path.resolve(env.LAMINA_CACHE ?? path.join(env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache"), "lamina")),
    remote: namedPlatform(shared),
    listen: env.LAMINA_LISTEN,
    external: externalServers(env),
    caBundle: caBundle(env),
    baseRegistry: env.LAMINA_BASE_REGISTRY,
    tuning: Object.fromEntries(Object.entries(Tuning.parse(env)).filter((entry) => entry[1] !== undefined)),
    terminalType: env.TERM,
    path: (env.PATH ?? "").split(path.delimiter).filter(Boolean),
  };
}

function externalServers(env: Environment): ExternalServers {
  const postgres = env.LAMINA_DATABASE_URL ?? env.LAMINA_POSTGRES_URL;
  return {
    ...(postgres !== undefined && { postgres: { url: postgres } }),
    ...(env.LAMINA_NATS_URL !== undefined && {
      nats: { url: env.LAMINA_NATS_URL, user: env.LAMINA_NATS_USER ?? "", password: env.LAMINA_NATS_PASSWORD ?? "" },
    }),
    ...(env.LAMINA_REGISTRY !== undefined && {
      registry: {
        host: env.LAMINA_REGISTRY,
        user: env.LAMINA_REGISTRY_USERNAME ?? "",
        password: env.LAMINA_REGISTRY_PASSWORD ?? "",
        ...(env.LAMINA_REGISTRY_INSECURE !== undefined && { insecure: ON.has(env.LAMINA_REGISTRY_INSECURE) }),
      },
    }),
    ...(env.BUILDKIT_HOST !== undefined && { buildkit: { address: env.BUILDKIT_HOST } }),
  };
}

function caBundle(env: Environment): Config["caBundle"] {
  const names = ["LAMINA_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"] as const;
  const from = names.find((name) => env[name] !== undefined);
  const file = from && env[from];
  return from === undefined || file === undefined ? undefined : { file, from };
}
