/** Values of calls as JSON text: what JSON has no notation for is tagged, as packages/api/src/values.ts says. */

/** A value that cannot be written, or a text that cannot be read. */
export class ValueProblem extends Error {
  override readonly name = "ValueProblem";
}

const TAG = "$lamina";

/** The text of a value. `root` is what messages call the value. @throws ValueProblem, which names the place and says what to do */
export function encodeValue(value: unknown, root = "the value"): string {
  try {
    return JSON.stringify(written(value, { path: root, above: new Set() }));
  } catch (cause) {
    if (cause instanceof RangeError) throw new ValueProblem(`${root} is too large, or nested too deeply`, { cause });
    throw cause;
  }
}

/** The value of a text. @throws ValueProblem */
export function decodeValue(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ValueProblem("the value is not JSON", { cause });
  }
  return text.includes(TAG) ? read(value) : value;
}

interface Place {
  readonly path: string;
  /** What the value is in: one of these in it again is a cycle. */
  readonly above: Set<object>;
}

function written(value: unknown, place: Place): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0) ? value : tagged("number", Object.is(value, -0) ? "-0" : String(value));
    case "undefined":
      return null;
    case "bigint":
      return tagged("bigint", String(value));
    case "function":
      throw new ValueProblem(`${place.path} is a function, which cannot be sent; send what it gives, or a name for it`);
    case "symbol":
      throw new ValueProblem(`${place.path} is a symbol, which cannot be sent; send a string`);
    case "object":
      return value === null ? null : writtenObject(value, place);
  }
}

function writtenObject(value: object, place: Place): unknown {
  if (value instanceof Uint8Array) return tagged("bytes", Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64"));
  if (value instanceof ArrayBuffer) return tagged("bytes", Buffer.from(value).toString("base64"));
  if (value instanceof Date) return writtenDate(value, place);
  const isList = Array.isArray(value);
  if (!isList && !isPlain(value)) throw new ValueProblem(`${place.path} is ${nameOf(value)}, which cannot be sent; ${adviceFor(value)}`);
  if (place.above.has(value)) throw new ValueProblem(`${place.path} is something that it is itself a part of; send it without the cycle`);
  place.above.add(value);
  const result = isList ? writtenList(value, place) : writtenFields(value, place);
  place.above.delete(value);
  return result;
}

function writtenList(values: readonly unknown[], { path, above }: Place): unknown[] {
  return Array.from(values, (value, index) => written(value, { path: `${path}[${index}]`, above }));
}

/** Fields without a value are left out, as in JSON. */
function writtenFields(value: object, { path, above }: Place): object {
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  const result: Readonly<Record<string, unknown>> = Object.fromEntries<unknown>(
    fields.map(([name, field]) => [name, written(field, { path: path + partOf(name), above })]),
  );
  return Object.hasOwn(value, TAG) ? tagged("object", result) : result;
}

function partOf(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

function writtenDate(value: Date, { path }: Place): object {
  if (Number.isNaN(value.getTime())) throw new ValueProblem(`${path} is a date that there is not; send null for it`);
  return tagged("date", value.toISOString());
}

function tagged(tag: string, value: unknown): object {
  return { [TAG]: tag, value };
}

/** Also of another realm, whose Object is another one. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

function nameOf(value: object): string {
  const { constructor } = value;
  const name = typeof constructor === "function" && constructor.name !== "" ? constructor.name : "of a class";
  return name === "of a class" ? "an object of a class" : `a ${name}`;
}

function adviceFor(value: object): string {
  if (value instanceof Map) return "send Object.fromEntries(map), or [...map]";
  if (value instanceof Set) return "send [...set]";
  if (ArrayBuffer.isView(value)) return "send its bytes as a Uint8Array, or its numbers as a list";
  if (value instanceof Promise) return "await it first";
  if (value instanceof Error) return "send its message";
  return "send a plain object of its fields, such as { ...value }";
}

function read(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(read);
  if (!Object.hasOwn(value, TAG)) return readFields(value);
  if (!(TAG in value) || !("value" in value) || Object.keys(value).length !== 2) throw unknownTag(value);
  return untagged(value[TAG], value.value);
}

function readFields(value: object): object {
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, read(field)]));
}

const NUMBERS: ReadonlyMap<unknown, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["-0", -0],
]);

function untagged(tag: unknown, value: unknown): unknown {
  if (tag === "object" && typeof value === "object" && value !== null && !Array.isArray(value)) return readFields(value);
  if (tag === "number" && NUMBERS.has(value)) return NUMBERS.get(value);
  if (typeof value === "string") {
    if (tag === "bytes" && BASE64.test(value)) return Uint8Array.from(Buffer.from(value, "base64"));
    if (tag === "bigint" && /^-?\d+$/.test(value)) return BigInt(value);
    const date = tag === "date" ? new Date(value) : undefined;
    if (date !== undefined && !Number.isNaN(date.getTime())) return date;
  }
  throw unknownTag({ [TAG]: tag, value });
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function unknownTag(value: object): ValueProblem {
  return new ValueProblem(`the value has in it ${JSON.stringify(value).slice(0, 80)}, which this version of Lamina does not know`);
}
