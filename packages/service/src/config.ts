/** Configuration comes from the environment, is read once when a process starts, and is checked before anything else runs. */
import { z } from "zod";

/** A variable of the environment cannot be right. Its message names each one, and never shows a value. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * Reads what the schema names from the environment. An empty variable counts as one that is not set.
 * @throws {ConfigError}
 */
export function readConfig<T extends z.ZodType>(schema: T, env: NodeJS.ProcessEnv): z.output<T> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ""));
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => `  ${issue.path.join(".")}: ${reason(issue, given)}`);
  throw new ConfigError(`The environment is not right:\n${faults.join("\n")}`);
}

/** `host:port`, with an IPv6 host in brackets. */
export const Address = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:]+):\d{1,5}$/, "must be host:port")
  .transform((text) => {
    const colon = text.lastIndexOf(":");
    return { host: text.slice(0, colon).replace(/^\[(.*)\]$/, "$1"), port: Number(text.slice(colon + 1)) };
  })
  .refine(({ port }) => port <= 65_535, "must have a port of at most 65535");
export type Address = z.infer<typeof Address>;

/** A switch: `1`, `true`, `yes`, `on`, and their opposites. */
export const Switch = z.stringbool({ truthy: ["1", "true", "yes", "on"], falsy: ["0", "false", "no", "off"] });

/** The variables by which every process of ours finds NATS. */
export const natsVariables = {
  LAMINA_NATS_URL: z.string().default("nats://127.0.0.1:4222"),
  LAMINA_NATS_USER: z.string().optional(),
  LAMINA_NATS_PASSWORD: z.string().optional(),
  LAMINA_NAMESPACE: z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/, "must be letters, digits, _ and -")
    .default("lamina"),
};

/** The variables by which every process of ours finds the registry. */
export const registryVariables = {
  /** Its `host[:port]`, as references name it. */
  LAMINA_REGISTRY: z.string().min(1),
  LAMINA_REGISTRY_USERNAME: z.string().optional(),
  LAMINA_REGISTRY_PASSWORD: z.string().optional(),
  LAMINA_REGISTRY_INSECURE: Switch.optional(),
};

/** Whether a registry is spoken to by plain HTTP when nobody says: one on loopback is. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(host);
}

function reason(issue: z.core.$ZodIssue, given: Record<string, unknown>): string {
  const name = issue.path[0];
  return typeof name === "string" && !(name in given) ? "must be set" : issue.message;
}
