/** A real registry (the distribution project's) for one test file, on a free port and in a directory of its own. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { serverBinaries, supervise } from "@lamina/servers";
import { hash } from "bcryptjs";
import getPort from "get-port";

/** Of two users, who may do the same; random, so that a search finds what leaked and nothing else. */
export const credentials = userCalled("somebody");
export const others = userCalled("another");

export interface Distribution extends AsyncDisposable {
  readonly host: string;
  /** Its configuration and data. */
  readonly directory: string;
}

/** @param auth the `auth` section of its configuration, given the directory where files for it may lie; by default basic credentials */
export async function startDistribution(auth: (directory: string) => Promise<object> = basicAuth): Promise<Distribution> {
  const binaries = await serverBinaries(join(homedir(), ".cache", "lamina"));
  const directory = await mkdtemp(join(tmpdir(), "lamina-registry-test-"));
  const host = `127.0.0.1:${await getPort({ host: "127.0.0.1" })}`;
  const configuration = join(directory, "registry.json");
  await writeFile(
    configuration,
    JSON.stringify({
      version: "0.1",
      log: { level: "warn", accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(directory, "data") }, tag: { concurrencylimit: 8 } },
      http: { addr: host, secret: "for-upload-states" },
      auth: await auth(directory),
    }),
  );
  const server = await supervise({
    name: "registry",
    command: [join(binaries, "registry"), "serve", configuration],
    directory,
    stop: { signal: "SIGTERM", graceSeconds: 5, isolated: false },
    isReady: async () => (await fetch(`http://${host}/v2/`)).status === 401,
    report: () => undefined,
  });
  return {
    host,
    directory,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function userCalled(username: string) {
  return { username, password: `must-not-leak-${randomBytes(12).toString("hex")}` };
}

async function basicAuth(directory: string): Promise<object> {
  const path = join(directory, "htpasswd");
  const lines = [credentials, others].map(async ({ username, password }) => `${username}:${await hash(password, 4)}\n`);
  await writeFile(path, await Promise.all(lines));
  return { htpasswd: { realm: "test", path } };
}
