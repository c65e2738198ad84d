/** A real registry (the distribution project's) for one test file, on a free port and in a directory of its own. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { serverBinaries, supervise } from "@lamina/servers";
import { hash } from "bcryptjs";
import getPort from "get-port";

export const credentials = { username: "somebody", password: "a-password-that-must-not-leak" };

export interface Distribution extends AsyncDisposable {
  readonly host: string;
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
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function basicAuth(directory: string): Promise<object> {
  const path = join(directory, "htpasswd");
  await writeFile(path, `${credentials.username}:${await hash(credentials.password, 4)}\n`);
  return { htpasswd: { realm: "test", path } };
}
