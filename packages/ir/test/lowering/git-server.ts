/** A git server on loopback for those who know its token: `repo.git`, which has `sub.git` as a submodule. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join, normalize } from "node:path";
import { execa } from "execa";
import { temporaryDirectory } from "./temporary-directory.ts";

export interface GitServer extends AsyncDisposable {
  /** host:port */
  readonly host: string;
}

/** The token is the name of the user, as in `https://${TOKEN}@host/repo.git`. */
export async function gitServer(token: string): Promise<GitServer> {
  await using cleanUp = new AsyncDisposableStack();
  const { path } = cleanUp.use(await temporaryDirectory());
  await makeRepository(path, "sub");
  await makeRepository(path, "repo", ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../sub.git", "sub"]);
  const server = createServer((request, response) => {
    const [, encoded = ""] = (request.headers.authorization ?? "").split("Basic ");
    if (Buffer.from(encoded, "base64").toString().split(":")[0] !== token) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
      return;
    }
    readFile(join(path, normalize(new URL(request.url ?? "/", "http://host").pathname))).then(
      (content) => response.end(content),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUp.defer(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  const owned = cleanUp.move();
  return {
    host: `127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A bare repository of one commit, ready to be cloned from a plain file server. */
async function makeRepository(directory: string, name: string, change?: readonly string[]): Promise<void> {
  const bare = join(directory, `${name}.git`);
  const work = join(directory, name);
  const git = (...args: readonly string[]) => execa("git", ["-C", work, "-c", "user.name=t", "-c", "user.email=t@example.com", ...args]);
  await execa("git", ["init", "--quiet", "--bare", bare]);
  await execa("git", ["clone", "--quiet", bare, work]);
  if (change !== undefined) await git(...change);
  await git("commit", "--quiet", "--allow-empty", "--message", "first");
  await git("push", "--quiet", "origin", "HEAD");
  await execa("git", ["-C", bare, "update-server-info"]);
}
