/** `RUN --mount`: what may be mounted, and from where. */
import { IMAGE_BY_DIGEST } from "./image-by-digest.ts";

export interface Mount {
  readonly type: string;
  /** All options but the type, under the first of their names. */
  readonly options: ReadonlyMap<string, string | undefined>;
}

export function mountOf(value: string): Mount {
  const fields = value.split(",").map((field): [string, string | undefined] => {
    const equals = field.indexOf("=");
    const name = (equals === -1 ? field : field.slice(0, equals)).toLowerCase();
    return [SAME[name] ?? name, equals === -1 ? undefined : field.slice(equals + 1)];
  });
  const options = new Map(fields);
  const type = options.get("type")?.toLowerCase() ?? "bind";
  options.delete("type");
  return { type, options };
}

/** Whether it takes its files from the context. */
export function isFromContext({ type, options }: Mount): boolean {
  return type === "bind" && !options.has("from");
}

/** The id of the secret that it mounts; undefined for another mount. */
export function mountedSecret({ type, options }: Mount): string | undefined {
  if (type !== "secret") return undefined;
  return options.get("id") ?? options.get("source") ?? options.get("target")?.split("/").at(-1) ?? "";
}

/** Whether what a command writes there outlives its step. */
export function isWritableCache({ type, options }: Mount): boolean {
  return type === "cache" && !(options.has("readonly") && (options.get("readonly") ?? "true") === "true");
}

/** As it is written for BuildKit. */
export function writtenMount({ type, options }: Mount): string {
  return [`type=${type}`, ...Array.from(options, ([name, value]) => (value === undefined ? name : `${name}=${value}`))].join(",");
}

/** What is wrong with a mount, without regard to secrets and files. */
export function checkMount(value: string): string | undefined {
  if (/["\n]/.test(value)) return "holds a quote: write its options without";
  const mount = mountOf(value);
  const { type, options } = mount;
  const known = OPTIONS[type];
  if (type === "ssh") return "of the type ssh has nothing to mount: no SSH agent goes along with a build; use a secret";
  if (known === undefined) return `has no type "${type}"; there are ${Object.keys(OPTIONS).join(", ")}`;
  const unknown = [...options.keys()].find((name) => !known.has(name));
  if (unknown !== undefined) return `of the type ${type} has no option "${unknown}"`;
  const empty = [...options].find(([name, option]) => (option ?? "") === "" && !(option === undefined && SWITCHES.has(name)));
  if (empty !== undefined) return `needs a value for its option "${empty[0]}"`;
  if (type !== "secret" && !options.has("target")) return "needs a target, the path to mount it at";
  if (type === "secret" && mountedSecret(mount) === "") return "needs an id, the name of a variable of a secret";
  const from = options.get("from");
  if (from !== undefined && !IMAGE_BY_DIGEST.test(from)) {
    return "takes from= an image by its digest, as in host/repository@sha256:…: there are no other stages here";
  }
  for (const [name, option] of options) {
    const value = VALUES[name];
    // A switch may have none, and what holds a variable is any until it has a value.
    if (option === undefined || option.includes("$") || value?.test(option) !== false) continue;
    return `has ${name}=${option}, which has to be ${value.like}`;
  }
  if (options.get("id")?.startsWith("lamina-") === true) return 'has an id that begins with "lamina-", which is the platform\'s own';
  return options.get("source")?.split("/").includes("..") === true ? "has a source that leads out of the context" : undefined;
}

const SAME: Readonly<Record<string, string>> = {
  src: "source",
  dst: "target",
  destination: "target",
  ro: "readonly",
  rw: "readwrite",
};

interface Value {
  readonly test: (text: string) => boolean;
  readonly like: string;
}

const matching = (pattern: RegExp, like: string): Value => ({ test: (text) => pattern.test(text), like });
const NUMBER: Value = { test: (text) => /^\d+$/.test(text) && Number(text) < 2 ** 32, like: 'a number, as in "1000"' };
/** As Go reads it. */
const SWITCH = matching(/^(1|t|true|0|f|false)$/i, "true or false");
/** What the value of an option looks like, where that matters. */
const VALUES: Readonly<Record<string, Value>> = {
  target: matching(/^(?!\/[./]*$)/, "another place than the root"),
  mode: matching(/^[0-7]{1,10}$/, 'an octal number, as in "0755"'),
  uid: NUMBER,
  gid: NUMBER,
  sharing: matching(/^(shared|private|locked)$/i, "shared, private or locked"),
  size: matching(/^\d+(\.\d+)?[kmgtp]?i?b?$/i, 'a size, as in "64m"'),
  readonly: SWITCH,
  readwrite: SWITCH,
  required: SWITCH,
};

const SWITCHES = new Set(["readonly", "readwrite", "required"]);
const ALL = ["target", "readonly", "readwrite"];
const OPTIONS: Readonly<Record<string, ReadonlySet<string>>> = {
  bind: new Set([...ALL, "from", "source"]),
  cache: new Set([...ALL, "from", "source", "id", "sharing", "mode", "uid", "gid"]),
  tmpfs: new Set([...ALL, "size"]),
  secret: new Set(["target", "id", "source", "required", "env", "mode", "uid", "gid"]),
};
