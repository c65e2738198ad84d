import { randomBytes } from "node:crypto";

/** A name that no other caller gets, fit for NATS subjects and streams, repositories and database names. */
export function freshNamespace(prefix = "t"): string {
  return `${prefix}${randomBytes(6).toString("hex")}`;
}
