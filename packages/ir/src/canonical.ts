/**
 * The canonical form of a JSON value (RFC 8785) and the digest over it. Object keys are sorted by
 * their UTF-16 code units, which is JavaScript's own string order; numbers and strings are written
 * as ECMAScript writes them, which is what the RFC prescribes.
 */
import { createHash } from "node:crypto";
import type { Digest } from "./operation.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * Writes a value in its canonical form. Properties that are undefined are left out.
 * @throws {TypeError} for a number that JSON cannot hold, and for a string with a lone surrogate.
 */
export function canonicalJson(value: Json): string {
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`JSON has no ${value}`);
  if (typeof value === "string") return canonicalString(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  let members = "";
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) members += `${members === "" ? "" : ","}${canonicalString(key)}:${canonicalJson(member)}`;
  }
  return `{${members}}`;
}

/** SHA-256 over the UTF-8 bytes of the canonical form. */
export function canonicalDigest(value: Json): Digest {
  return `sha256:${createHash("sha256").update(canonicalJson(value)).digest("hex")}`;
}

function canonicalString(value: string): string {
  if (!value.isWellFormed()) throw new TypeError("a string with a lone surrogate has no UTF-8 form");
  return JSON.stringify(value);
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
