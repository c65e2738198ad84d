/** A user of this machine without privileges, who has a copy of the checkout and of what is in the cache. Only root can make one. */
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { chmod, mkdir, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import type { Outcome } from "./cli.ts";

const ROOT = path.resolve(import.meta.dirname, "../../../..");
const { HOME = "", XDG_CACHE_HOME = path.join(HOME, ".cache"), LAMINA_CACHE: CACHE = path.join(XDG_CACHE_HOME, "lamina") } = process.env;

export interface OrdinaryUser extends AsyncDisposable {
  readonly name: string;
  readonly home: string;
  /** Runs a command in the checkout. Beside what a login gives, only variables that are named are in its environment. */
  run(command: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Outcome>;
  /** The command lines of what runs as the user, or as one of the user's subordinate ids. */
  processes(): string[];
}

export async function ordinaryUser(): Promise<OrdinaryUser> {
  await Promise.all([provideUidmap(), openTunnels()]);
  const name = `lamina-test-${randomBytes(4).toString("hex")}`;
  await using undo = new AsyncDisposableStack();
  await execa("useradd", ["--create-home", name]);
  undo.defer(() => remove(name));
  const home = await homeOf(name);
  const checkout = path.join(home, "checkout");
  await Promise.all([copyCheckout(checkout), copyCache(path.join(home, ".cache", "lamina"))]);
  // What has more than one name is linked, and stays root's.
  const own = ["(", "-type", "d", "-o", "-links", "1", ")", "-exec", "chown", "--no-dereference", `${name}:`, "{}", "+"];
  await execa("find", [home, ...own]);
  const made = undo.move();
  return {
    name,
    home,
    async run(command, environment = {}) {
      const login = ["--reuid", name, "--regid", name, "--init-groups", "--reset-env"];
      const variables = { SSL_CERT_FILE: process.env["SSL_CERT_FILE"] ?? "", ...environment };
      const assignments = Object.entries(variables).map(([key, value]) => `${key}=${value}`);
      const { stdout, stderr, exitCode } = await execa("setpriv", [...login, "env", ...assignments, ...command], {
        cwd: checkout,
        stdin: "ignore",
        reject: false,
      });
      return { stdout, stderr, exitCode };
    },
    processes: () => processesOf(name).map(({ commandLine }) => commandLine),
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

/** The one Debian package that such a user needs more than root. */
async function provideUidmap(): Promise<void> {
  const install = "apt-get install --yes uidmap";
  const script = `command -v newuidmap || ${install} || { apt-get update && ${install}; }`;
  await execa("sh", ["-c", script], { env: { DEBIAN_FRONTEND: "noninteractive" } });
}

/** As udev does, where there is none: a tunnel in a network of one's own takes no privilege. */
async function openTunnels(): Promise<void> {
  await chmod("/dev/net/tun", 0o666);
}

async function homeOf(name: string): Promise<string> {
  const { stdout } = await execa("getent", ["passwd", name]);
  return stdout.split(":")[5] ?? "";
}

/** As it is now, with what is installed, and without what is built. */
async function copyCheckout(target: string): Promise<void> {
  await mkdir(target);
  const left = ["./.git", "./node_modules", ".turbo", "dist"].map((name) => `--exclude=${name}`);
  await execa({ buffer: false, cwd: ROOT })("tar", ["--create", ...left, "."]).pipe("tar", ["--extract"], { cwd: target });
  const installed = path.join(ROOT, "node_modules");
  await linkedCopy([installed], target);
  // What the package manager remembers is written again in place.
  const copy = ["-exec", "cp", "--archive", "--remove-destination", "--target-directory", path.join(target, "node_modules"), "{}", "+"];
  await execa("find", [installed, "-maxdepth", "1", "-type", "f", ...copy]);
}

/** The servers, uv, the bases, and the tool chain that this checkout pins. */
async function copyCache(target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  const names = await readdir(CACHE);
  const wanted = await Promise.all(names.map(async (name) => ((await isWanted(name)) ? [path.join(CACHE, name)] : [])));
  await linkedCopy(wanted.flat(), target);
}

/** Directories of its own with the same files, where both are on one file system. */
async function linkedCopy(sources: readonly string[], target: string): Promise<void> {
  const copy = (...options: readonly string[]) => execa("cp", ["--archive", ...options, ...sources, target]);
  await copy("--link").catch(() => copy("--remove-destination"));
}

async function isWanted(name: string): Promise<boolean> {
  if (/^(servers|bases|uv)-.*(?<!\.tmp)$/.test(name)) return true;
  if (!name.startsWith("toolchain-")) return false;
  const pinned = await readFile(path.join(ROOT, "infra/toolchain/package.json"), "utf8");
  return (await readFile(path.join(CACHE, name, "package.json"), "utf8").catch(() => "")) === pinned;
}

/** Ends what a failed test has left, and removes the user with the home and all in it. */
async function remove(name: string): Promise<void> {
  for (const { pid } of processesOf(name)) process.kill(pid, "SIGKILL");
  await execa("userdel", ["--force", "--remove", name]);
}

interface UserProcess {
  readonly pid: number;
  readonly commandLine: string;
}

function processesOf(name: string): UserProcess[] {
  const ids = idsOf(name);
  return readdirSync("/proc").flatMap((entry) => {
    const found = /^\d+$/.test(entry) ? readProcess(Number(entry)) : undefined;
    return found !== undefined && ids.some(({ first, count }) => found.uid >= first && found.uid < first + count) ? [found] : [];
  });
}

/** The id of the user, and the range of the subordinate ones. */
function idsOf(name: string): { first: number; count: number }[] {
  const line = (file: string) =>
    readFileSync(file, "utf8")
      .split("\n")
      .map((text) => text.split(":"))
      .find((fields) => fields[0] === name) ?? [];
  const [, , uid] = line("/etc/passwd");
  const [, first, count] = line("/etc/subuid");
  return [
    { first: Number(uid), count: 1 },
    { first: Number(first), count: Number(count) },
  ];
}

/** Undefined when it has ended. */
function readProcess(pid: number): (UserProcess & { uid: number }) | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    if (/^State:\s+Z/m.test(status)) return undefined;
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    return { pid, commandLine, uid: Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]) };
  } catch {
    return undefined;
  }
}
