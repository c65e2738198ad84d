/** Encryption at rest: AES-256-GCM, bound to the row that it stands in. */
import { LaminaError } from "@lamina/api";
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { z } from "zod";

/** Seals and opens values by variable. `row` names where the sealed bytes are kept; they open nowhere else. */
export interface Sealer {
  seal(row: string, values: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer>;
  /** @throws {LaminaError} SECRET_MISSING when the bytes were sealed with another key or for another row, or were changed. */
  open(row: string, sealed: Uint8Array): Record<string, string>;
}

const ALGORITHM = "aes-256-gcm";
/** The first byte says how the rest is made up: nonce, tag, ciphertext. */
const FORMAT = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const Values = z.record(z.string(), z.string());

/** @param key 32 bytes */
export function createSealer(key: Uint8Array): Sealer {
  return {
    seal(row, values) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(row));
      const ciphertext = Buffer.concat([cipher.update(JSON.stringify(values), "utf8"), cipher.final()]);
      return new Uint8Array(Buffer.concat([Buffer.of(FORMAT), nonce, cipher.getAuthTag(), ciphertext]));
    },
    open(row, sealed) {
      const bytes = Buffer.from(sealed);
      if (bytes[0] !== FORMAT) throw new Error(`The sealed values of ${row} have an unknown format.`);
      const nonce = bytes.subarray(1, 1 + NONCE_BYTES);
      const tag = bytes.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES);
      const decipher = createDecipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(row)).setAuthTag(tag);
      const plain = decipher.update(bytes.subarray(1 + NONCE_BYTES + TAG_BYTES));
      try {
        return Values.parse(JSON.parse(Buffer.concat([plain, decipher.final()]).toString("utf8")));
      } catch (cause) {
        const message = `The values of ${row} cannot be opened: they were sealed with another key. Set them again.`;
        throw new LaminaError({ code: "SECRET_MISSING", message }, { cause });
      }
    },
  };
}
