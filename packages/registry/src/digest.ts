import { createHash } from "node:crypto";

/** The SHA-256 of some bytes as `sha256:<hex>`. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Adds up a digest over chunks as they pass. */
export function createDigester(): { update(chunk: Uint8Array): void; digest(): string } {
  const hash = createHash("sha256");
  return {
    update: (chunk) => void hash.update(chunk),
    digest: () => `sha256:${hash.digest("hex")}`,
  };
}
