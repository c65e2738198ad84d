/** A private git server on loopback. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, normalize } from "node:path";
import { serve } from "@lamina/registry/test-support";
import { execa } from "execa";
import { credentialsOf, refuse } from "./basic-authorization.ts";

export interface GitServer extends AsyncDisposable {
  /** host:port */
  readonly host: string;
}

/**
 * Serves `private/repo.git`, which has a `README.md` and `private/sub.git` as a submodule, to whoever gives the
 * token as the user, as in `http://${TOKEN}@host/private/repo.git`.
 */
export async function gitServer(token: string): Promise<GitServer> {
  await using cleanUp = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "lamina-git-"));
  cleanUp.defer(() => rm(directory, { recursive: true, force: true }));
  await makeRepository(directory, "sub");
  await makeRepository(directory, "repo", ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../sub.git", "sub"]);
  const { host } = cleanUp.use(
    await serve((request, response) => {
      if (credentialsOf(request).user !== token) return refuse(response);
      const [, owner, ...path] = normalize(new URL(request.url ?? "/", "http://host").pathname).split("/");
      readFile(join(directory, owner === "private" ? path.join("/") : "nothing")).then(
        (content) => response.end(content),
        () => response.writeHead(404).end(),
      );
    }),
  );
  const owned = cleanUp.move();
  return { host, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** A bare repository of one commit, ready to be cloned from a plain file server. */
async function makeRepository(directory: string, name: string, change?: readonly string[]): Promise<void> {
  const bare = join(directory, `${name}.git`);
  const work = join(directory, name);
  const git = (...args: readonly string[]) => execa("git", ["-C", work, "-c", "user.name=t", "-c", "user.email=t@example.com", ...args]);
  await execa("git", ["init", "--quiet", "--bare", bare]);
  await execa("git", ["clone", "--quiet", bare, work]);
  await writeFile(join(work, "README.md"), "private\n");
  await git("add", ".");
  if (change !== undefined) await git(...change);
  await git("commit", "--quiet", "--message", "first");
  await git("push", "--quiet", "origin", "HEAD");
  await execa("git", ["-C", bare, "update-server-info"]);
}
