/** Image references by the rules of the distribution project: `python:3.12` is `docker.io/library/python:3.12`. */
import { RegistryError } from "./errors.ts";

export interface ReferenceParts {
  /** Where the image is, as references name it: `docker.io`, `ghcr.io`, `127.0.0.1:5000`. */
  readonly host: string;
  readonly repository: string;
  readonly tag?: string | undefined;
  readonly digest?: string | undefined;
}

export interface Reference extends ReferenceParts {
  /** What to ask the registry for: the digest where there is one, else the tag. */
  readonly identifier: string;
}

/**
 * Reads `[host[:port]/]repository[:tag][@sha256:…]`. Without a host it is Docker Hub's; with neither tag nor digest the tag is `latest`.
 * @throws {RegistryError} `INVALID_REFERENCE`
 */
export function parseReference(text: string): Reference {
  const fail = (reason: string): never => {
    throw new RegistryError("INVALID_REFERENCE", `"${text}" is not an image reference: ${reason}`);
  };
  if (text === "") fail("it is empty");
  if (/\s/.test(text)) fail("it contains white space");
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) fail("leave out the scheme in front of the host");

  const { name, tag, digest } = splitVersion(text);
  if (digest !== undefined && !isDigest(digest)) fail(`the digest "${digest}" is not "sha256:" and 64 lower-case hexadecimal digits`);
  if (tag !== undefined && !isTag(tag)) {
    fail(`the tag "${tag}" is not 1 to 128 letters, digits, "_", "." and "-", the first a letter, a digit or "_"`);
  }
  const { host, repository } = splitHost(name);
  if (!isHost(host)) fail(`"${host}" is not a host name with an optional port`);
  const reason = repositoryFault(repository);
  if (reason !== undefined) fail(reason);

  const effectiveTag = tag ?? (digest === undefined ? "latest" : undefined);
  return { host, repository, tag: effectiveTag, digest, identifier: digest ?? effectiveTag ?? "latest" };
}

/** The full form, host included, that {@link parseReference} reads back to the same parts. */
export function formatReference(parts: ReferenceParts): string {
  const tag = parts.tag === undefined ? "" : `:${parts.tag}`;
  const digest = parts.digest === undefined ? "" : `@${parts.digest}`;
  return `${parts.host}/${parts.repository}${tag}${digest}`;
}

export function isDigest(text: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}

export function isTag(text: string): boolean {
  return /^\w[\w.-]{0,127}$/.test(text);
}

/** What is wrong with the name of a repository, in words that end a sentence; undefined when nothing is. */
export function repositoryFault(repository: string): string | undefined {
  if (repository === "") return "the repository is missing";
  if (repository.length > 255) return "the repository is longer than 255 characters";
  if (repository !== repository.toLowerCase()) return `the repository "${repository}" must be lower case`;
  const wrong = repository.split("/").find((component) => !/^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/.test(component));
  if (wrong === undefined) return undefined;
  return wrong === ""
    ? `the repository "${repository}" has an empty part between slashes`
    : `"${wrong}" must be lower-case letters and digits, with single ".", "_", "__" or "-" between them`;
}

/** Takes tag and digest off the end; a colon before the last slash belongs to the port of the host. */
function splitVersion(text: string): { name: string; tag: string | undefined; digest: string | undefined } {
  const at = text.indexOf("@");
  const digest = at === -1 ? undefined : text.slice(at + 1);
  const tagged = at === -1 ? text : text.slice(0, at);
  const colon = tagged.indexOf(":", tagged.lastIndexOf("/") + 1);
  return colon === -1 ? { name: tagged, tag: undefined, digest } : { name: tagged.slice(0, colon), tag: tagged.slice(colon + 1), digest };
}

/**
 * The first part is a host when it has a dot or a port, or is `localhost`. The distribution project takes one with a capital for a host
 * too; to us `TEAM/app` is a repository in capitals, which there is not, and no machine of that name is asked.
 */
function splitHost(name: string): { host: string; repository: string } {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  const isHub = slash === -1 || !(/[.:]/.test(first) || first === "localhost");
  const host = isHub ? "docker.io" : first === "index.docker.io" || first === "registry-1.docker.io" ? "docker.io" : first;
  const repository = isHub ? name : name.slice(slash + 1);
  return {
    host,
    repository: host === "docker.io" && !repository.includes("/") && repository !== "" ? `library/${repository}` : repository,
  };
}

function isHost(host: string): boolean {
  const label = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
  return new RegExp(`^(?:${label}(?:\\.${label})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]{1,5})?$`).test(host);
}
