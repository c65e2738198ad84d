/** What functions and classes of an app take. */
import { AppName, type DeployedFunction, FunctionName } from "@lamina/api";
import { z } from "zod";
import type { Image } from "../image.ts";
import { isImage } from "../image-state.ts";
import { isSecret, type Secret } from "../secret.ts";

export interface Retries {
  /** How often a call that failed is tried again. */
  readonly max: number;
  /** Seconds before the first of these; 1 by default. */
  readonly delay?: number | undefined;
  /** What the delay is multiplied by each time; 2 by default. */
  readonly factor?: number | undefined;
  /** The longest delay in seconds; 60 by default. */
  readonly longestDelay?: number | undefined;
}

export interface FunctionOptions {
  /** The image that it runs in. */
  readonly image: Image;
  /** By default the name of the handler or class, else that of the variable that it is assigned to. */
  readonly name?: string | undefined;
  /** "T4", "A100:2", "any"; of a list, the first that there is. */
  readonly gpu?: string | readonly string[] | undefined;
  /** Processors that a container may use; 1 by default. */
  readonly cpu?: number | undefined;
  /** MiB that a container may use; 1024 by default. */
  readonly memory?: number | undefined;
  /** Seconds after which a call is ended; 300 by default. */
  readonly timeout?: number | undefined;
  /** How often a call that failed is tried again, or how in detail; never by default. */
  readonly retries?: number | Retries | undefined;
  /** Whose variables the function sees. */
  readonly secrets?: readonly Secret[] | undefined;
  /** Containers that are kept though there is nothing to do; none by default. */
  readonly minContainers?: number | undefined;
  /** 8 by default. */
  readonly maxContainers?: number | undefined;
  /** Inputs that one container takes at once; 1 by default. */
  readonly concurrency?: number | undefined;
  /** Seconds that a container with nothing to do is kept; 60 by default. */
  readonly idleTimeout?: number | undefined;
}

export interface PythonOptions extends FunctionOptions {
  /** "module:function"; the module is looked for in the directory of the file that calls this. */
  readonly python: string;
}

const amount = (low: number, high: number) =>
  z.number({ error: "must be a number" }).min(low, `must be ${low} or more`).max(high, `must be ${high} or less`);
const count = (low: number, high: number) =>
  z.int({ error: "must be a whole number" }).min(low, `must be ${low} or more`).max(high, `must be ${high} or less`);
const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3_600;

const GPU = z
  .string({ error: "must be a string, or a list of strings" })
  .regex(/^(any|[A-Za-z][A-Za-z0-9-]*(:[1-9][0-9]*)?)$/, 'must be like "T4", "A100:2", "A100-80GB" or "any"');

const Retries = z.union(
  [
    count(0, 100).transform((max) => ({ max })),
    z
      .strictObject({
        max: count(0, 100),
        delay: amount(0, HOUR_SECONDS).optional(),
        factor: amount(1, 10).optional(),
        longestDelay: amount(0, HOUR_SECONDS).optional(),
      })
      .transform(({ max, delay, factor, longestDelay }) => ({
        max,
        ...(delay !== undefined && { delayMs: Math.round(delay * 1_000) }),
        ...(factor !== undefined && { factor }),
        ...(longestDelay !== undefined && { longestDelayMs: Math.round(longestDelay * 1_000) }),
      })),
  ],
  { error: "must be a whole number from 0 to 100, or { max, delay, factor, longestDelay }" },
);

export const NAME_RULE = "is up to 127 letters, digits, '_', '$', '.' and '-', and does not begin with a digit";
export const AppNameText = z
  .string({ error: "give the app a name" })
  .refine((name) => name.trim() !== "", "give the app a name")
  .refine(
    (name) => AppName.safeParse(name).success,
    "an app's name is up to 63 letters, digits, '.', '_' and '-', and begins with a letter or digit",
  );

const options = {
  image: z.custom<Image>(isImage, "must be an Image"),
  name: z
    .string({ error: "must be a string" })
    .refine((name) => FunctionName.safeParse(name).success, NAME_RULE)
    .optional(),
  gpu: z
    .union([GPU.transform((one) => [one]), z.array(GPU).readonly()], {
      error: 'must be like "T4", "A100:2", "A100-80GB" or "any", or a list of such',
    })
    .optional(),
  cpu: amount(0.1, 1_024).optional(),
  memory: count(32, 64 * 1024 * 1024).optional(),
  timeout: amount(0.1, DAY_SECONDS).optional(),
  retries: Retries.optional(),
  secrets: z.array(z.custom<Secret>(isSecret, "must be a Secret"), { error: "must be a list of secrets" }).readonly().default([]),
  minContainers: count(0, 1_000).optional(),
  maxContainers: count(1, 1_000).optional(),
  concurrency: count(1, 1_000).optional(),
  idleTimeout: amount(0, DAY_SECONDS).optional(),
};
const base = z.strictObject(options, { error: (issue) => (issue.code === "invalid_type" ? "give an object with an image" : undefined) });
const agree = (given: { readonly minContainers?: number | undefined; readonly maxContainers?: number | undefined }) =>
  given.minContainers === undefined || given.maxContainers === undefined || given.minContainers <= given.maxContainers;

export const FunctionOptions = base.refine(agree, "minContainers must not be more than maxContainers");
export const PythonOptions = base
  .extend({
    python: z
      .string({ error: 'must be a string such as "module:function"' })
      .regex(
        /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/,
        'must be like "module:function" or "package.module:function"',
      ),
  })
  .refine(agree, "minContainers must not be more than maxContainers");

/** What the platform is told of a function beside its code; what was not said is left to it. */
export type Limits = Omit<DeployedFunction, "name" | "code" | "entry" | "methods" | "image" | "secrets">;

const MOST_CONTAINERS = 8;

export function limitsOf(given: Omit<z.output<typeof base>, "image" | "name" | "secrets">): Limits {
  const { gpu, cpu, memory, timeout, retries, minContainers = 0, maxContainers, concurrency, idleTimeout } = given;
  return {
    gpu: gpu === undefined ? undefined : [...gpu],
    cpu,
    memoryMib: memory,
    timeoutSeconds: timeout,
    retries,
    minContainers,
    maxContainers: maxContainers ?? Math.max(minContainers, MOST_CONTAINERS),
    concurrency,
    idleSeconds: idleTimeout,
  };
}
