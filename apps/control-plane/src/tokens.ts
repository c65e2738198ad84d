import type { Caller } from "@lamina/api";
import { createHash, timingSafeEqual } from "node:crypto";
import type { Config } from "./config.ts";

/** Who shows this `Authorization` header; null when its token is none of ours. */
export function callerOf({ tokens, workspace }: Pick<Config, "tokens" | "workspace">, authorization: string | undefined): Caller | null {
  const shown = /^Bearer (.+)$/i.exec(authorization ?? "")?.[1];
  if (shown === undefined) return null;
  if (same(shown, tokens.client)) return { workspace, role: "client" };
  if (same(shown, tokens.worker)) return { workspace, role: "worker" };
  return null;
}

/** Takes the same time wherever the two differ. */
function same(a: string, b: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
