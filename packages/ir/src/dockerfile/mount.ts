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

const SWITCHES = new Set(["readonly", "readwrite", "required"]);
const ALL = ["target", "readonly", "readwrite"];
const OPTIONS: Readonly<Record<string, ReadonlySet<string>>> = {
  bind: new Set([...ALL, "from", "source"]),
  cache: new Set([...ALL, "from", "source", "id", "sharing", "mode", "uid", "gid"]),
  tmpfs: new Set([...ALL, "size"]),
  secret: new Set(["target", "id", "source", "required", "env", "mode", "uid", "gid"]),
};
