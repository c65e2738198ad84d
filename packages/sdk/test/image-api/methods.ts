/** The methods of an image that make layers, and the options that each takes. */
import { Image } from "lamina";
import { z } from "zod";
import * as take from "../../src/arguments.ts";

/** Those that make no layer. */
export const OTHERS: readonly string[] = ["plan", "build", "toDockerfile"];
const STATIC = Object.getOwnPropertyNames(Image).filter((name) => typeof Reflect.get(Image, name) === "function");
const OWN = Object.getOwnPropertyNames(Image.prototype).filter((name) => name !== "constructor" && !OTHERS.includes(name));
export const METHODS: readonly string[] = [...STATIC, ...OWN];

/** The options that methods take, by the name of their schema. */
const SCHEMAS = new Map(Object.entries(take).flatMap(([name, schema]) => (schema instanceof z.ZodObject ? [[name, schema] as const] : [])));

/** Schemas that are no method's. */
export const UNUSED_SCHEMAS: readonly string[] = [...SCHEMAS.keys()].filter((schema) => !METHODS.map(schemaOf).includes(schema));

export function optionsOf(method: string): readonly string[] {
  return Object.keys(SCHEMAS.get(schemaOf(method) ?? "")?.shape ?? {});
}

/** That which is named as the method begins, else what all take that run something. */
function schemaOf(method: string): string | undefined {
  const own = [...SCHEMAS.keys()].filter((name) => method.toLowerCase().startsWith(name.replace(/Options$/, "").toLowerCase()));
  const [closest] = own.toSorted((a, b) => b.length - a.length);
  return closest ?? (String(Reflect.get(Image.prototype, method)).includes("RunOptions") ? "RunOptions" : undefined);
}
