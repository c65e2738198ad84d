/** Checks of the machine: programs, disk, certificates, GPUs, registries. */
import { execFile } from "node:child_process";
import { access, readdir, readFile, stat } from "node:fs/promises";
import { userInfo } from "node:os";
import path from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { promisify } from "node:util";
import { checkRequirements, isRoot } from "@lamina/servers";
import { builderVersion, builderVersionNames } from "lamina";
import type { Config } from "../config.ts";
import { freeBytes } from "../platform/disk.ts";
import { bytesText } from "../view/text.ts";
import { broken, type Finding, ok, warning } from "./check.ts";

/** Of the Debian package util-linux. */
const PROGRAMS = ["unshare", "flock"];

const WITHOUT_ROOT =
  "BuildKit and containerd run in a user name space. There, nothing limits the memory and processors of a container, steps see no /sys, " +
  "ping and devices made by mknod do not work, and files of an image may not belong to ids above those of /etc/subuid. " +
  "Files below the home belong to those ids too: remove it with unshare --user --map-root-user --map-auto rm -r.";

const LITTLE_SPACE = 10e9;
const NO_SPACE = 1e9;
/** As references name it; it answers under another name. */
const DOCKER_HUB = "docker.io";
const REGISTRY_ANSWERS_WITHIN_MS = 5_000;

export async function checkMachine(config: Config): Promise<Finding[]> {
  const findings = await Promise.all([
    node(),
    requirements(config),
    ...PROGRAMS.map((name) => program(name, config)),
    diskSpace(config),
    privacy(config),
    certificates(config),
    baseRegistry(config),
    gpus(config),
  ]);
  return [privileges(), findings].flat(2);
}

async function node(): Promise<Finding> {
  return process.platform === "linux"
    ? ok("node", `${process.version} on ${process.platform}-${process.arch}`)
    : broken("node", "The embedded platform needs Linux.");
}

async function program(name: string, config: Config): Promise<Finding> {
  const found = await firstOnPath(name, config);
  return found === undefined ? broken(name, "is missing. Install it with: apt-get install util-linux.") : ok(name, found);
}

/** What the servers need from the machine, for this user. */
async function requirements({ cache }: Config): Promise<Finding[]> {
  const newest = builderVersion(builderVersionNames().at(-1) ?? "");
  if (newest === undefined) return [];
  const all = await checkRequirements({ cache, python: newest.defaultPython, uv: newest.uv });
  return all.map(({ name, purpose, always, advice, found }) => {
    if (found !== undefined) return ok(name, found);
    return (always ? broken : warning)(name, `is missing; it is needed ${purpose}. ${advice}`);
  });
}

function privileges(): Finding {
  return isRoot() ? ok("user", "root") : warning("user", `${userInfo().username}. ${WITHOUT_ROOT}`);
}

async function firstOnPath(name: string, { path: directories }: Config): Promise<string | undefined> {
  for (const directory of [...directories, "/usr/sbin", "/sbin"]) {
    const file = path.join(directory, name);
    if (
      await access(file).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  return undefined;
}

async function diskSpace({ home }: Config): Promise<Finding> {
  const free = await freeBytes(await nearestDirectory(home));
  const detail = `${bytesText(free)} free for ${home}`;
  if (free < NO_SPACE) return broken("disk", `${detail}: too little for any image`);
  return free < LITTLE_SPACE ? warning("disk", `${detail}: large images may not fit`) : ok("disk", detail);
}

async function nearestDirectory(directory: string): Promise<string> {
  return (await access(directory).then(
    () => true,
    () => false,
  ))
    ? directory
    : nearestDirectory(path.dirname(directory));
}

async function privacy({ home }: Config): Promise<Finding[]> {
  const there = await stat(home).catch(() => undefined);
  if (there === undefined) return [];
  const others = there.mode & 0o077;
  return [others === 0 ? ok("home", `${home}, for its user only`) : broken("home", `${home} can be read by others: chmod 700 ${home}`)];
}

async function certificates({ caBundle }: Config): Promise<Finding> {
  if (caBundle === undefined) return ok("certificates", `those of each image; set SSL_CERT_FILE where a proxy inspects HTTPS`);
  const content = await readFile(caBundle.file, "utf8").catch(() => undefined);
  if (content === undefined) return broken("certificates", `${caBundle.from} names ${caBundle.file}, which cannot be read`);
  const count = content.split("-----BEGIN CERTIFICATE-----").length - 1;
  return count === 0
    ? broken("certificates", `${caBundle.from} names ${caBundle.file}, which holds no certificate`)
    : ok("certificates", `${count} of ${caBundle.file} (${caBundle.from}), trusted while building`);
}

async function baseRegistry({ baseRegistry: configured, caBundle }: Config): Promise<Finding> {
  const named = configured?.replace(/^https?:\/\//, "").split("/")[0] ?? DOCKER_HUB;
  const host = named === DOCKER_HUB ? "registry-1.docker.io" : named;
  const scheme = /^(localhost|127\.)/.test(host) ? "http" : "https";
  const name = "base registry";
  try {
    // As our own processes do, which get the bundle when they start.
    if (caBundle !== undefined) setDefaultCACertificates([...getCACertificates("default"), await readFile(caBundle.file, "utf8")]);
    const answer = await fetch(`${scheme}://${host}/v2/`, { signal: AbortSignal.timeout(REGISTRY_ANSWERS_WITHIN_MS) });
    if (answer.ok || answer.status === 401) return ok(name, `${host} answers`);
    return warning(name, `${host} answers ${answer.status}; bases are made from a Debian mirror instead`);
  } catch {
    return warning(name, `${host} cannot be reached; bases are made from a Debian mirror instead. LAMINA_BASE_REGISTRY names another.`);
  }
}

async function gpus(config: Config): Promise<Finding> {
  const directories = ["/etc/cdi", "/var/run/cdi", path.join(config.home, "cdi")];
  const specifications = (await Promise.all(directories.map(filesIn))).flat().filter((file) => /\.(json|ya?ml)$/.test(file));
  const cards = await firstOnPath("nvidia-smi", config).then((smi) => (smi === undefined ? [] : listCards(smi)));
  if (specifications.length > 0) return ok("gpu", `${cards.join(", ") || "devices"} by ${specifications.join(", ")}`);
  if (cards.length > 0)
    return warning("gpu", `${cards.join(", ")}, but no CDI specification: run nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml`);
  return ok("gpu", "none");
}

async function filesIn(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.map((name) => path.join(directory, name));
}

async function listCards(smi: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(smi, ["--query-gpu=name", "--format=csv,noheader"]).catch(() => ({ stdout: "" }));
  return stdout.split("\n").filter(Boolean);
}
