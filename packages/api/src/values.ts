/**
 * Values that go into calls and come out of them. The platform carries them and never looks inside:
 * what they are is said by their content type, and only the two ends of a call know how to read it.
 */
import { z } from "zod";

/**
 * JSON text in which what JSON has no notation for is tagged: an object with the one key `$lamina` beside
 * `value`. Tags: `bytes` (base64), `date` (ISO 8601 with an offset), `bigint` (decimal digits), `number` (`NaN`, `Infinity`,
 * `-Infinity`, `-0`), and `object`, around an object that has a key `$lamina` of its own. vectors/values.json has examples.
 */
export const JSON_VALUE = "application/vnd.lamina.value+json";
/** Python's pickle: between Python and Python only. */
export const PICKLE_VALUE = "application/x-python-pickle";

export const ValueType = z.enum([JSON_VALUE, PICKLE_VALUE]);
export type ValueType = z.infer<typeof ValueType>;

/** Bytes up to this many travel in messages; more go through the object store. */
export const INLINE_VALUE_BYTES = 64 * 1024;
/** How long a value stays in the object store. */
export const STORED_VALUE_SECONDS = 24 * 60 * 60;

export const InlineValue = z.object({
  type: ValueType,
  /** The text itself for JSON, base64 for pickle. */
  data: z.string(),
});
export const StoredValue = z.object({
  type: ValueType,
  /** Its name in the object store. */
  object: z.string().regex(/^[0-9a-f-]{36}$/),
  bytes: z.int().min(0),
});
export const Value = z.union([InlineValue, StoredValue]);
export type Value = z.infer<typeof Value>;

/**
 * `POST` here keeps the bytes of the body in the object store and answers `{"object": name, "bytes": number}`;
 * `GET <path>/<object>` gives them back. A failure is answered with `{"error": ErrorInfo}`.
 */
export const VALUES_PATH = "/v1/values";
export const KeptValue = StoredValue.pick({ object: true, bytes: true });
export type KeptValue = z.infer<typeof KeptValue>;
