import { type Caller, LaminaError } from "@lamina/api";
import { hash, timingSafeEqual } from "node:crypto";
import type { Config } from "./config.ts";

/** Tells who shows an `Authorization` header; null when its token is none of ours. */
export function callersOf({
  tokens,
  workspace,
}: Pick<Config, "tokens" | "workspace">): (authorization: string | undefined) => Caller | null {
  const callers = [
    { digest: digestOf(tokens.client), caller: { workspace, role: "client" } },
    { digest: digestOf(tokens.worker), caller: { workspace, role: "worker" } },
  ] as const;
  return (authorization) => {
    const shown = /^Bearer (.+)$/i.exec(authorization ?? "")?.[1];
    if (shown === undefined) return null;
    // Compared by digest, which takes the same time wherever two differ.
    const digest = digestOf(shown);
    return callers.find((known) => timingSafeEqual(known.digest, digest))?.caller ?? null;
  };
}

export function forbidden(role: Caller["role"]): LaminaError {
  return new LaminaError({ code: "FORBIDDEN", message: `This needs the token of a ${role}.` });
}

function digestOf(token: string): Buffer {
  return hash("sha256", token, "buffer");
}
