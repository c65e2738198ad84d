/** A git server on loopback, with private repositories and public ones. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
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
 * token as the user, as in `http://${TOKEN}@host/private/repo.git`. Directories of `published` are served to all,
 * as repositories `published/<name>.git`.
 */
export async function gitServer(token: string, published: Readonly<Record<string, string>> = {}): Promise<GitServer> {
  await using cleanUp = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "lamina-git-"));
  cleanUp.defer(() => rm(directory, { recursive: true, force: true }));
  const inPrivate = join(directory, "private");
  await makeRepository(inPrivate, "sub", addReadme);
  await makeRepository(inPrivate, "repo", async (work, git) => {
    await addReadme(work);
    await git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../sub.git", "sub");
  });
  for (const [name, files] of Object.entries(published)) {
    await makeRepository(join(directory, "published"), name, (work) => cp(files, work, { recursive: true }));
  }
  const { host } = cleanUp.use(
    await serve((request, response) => {
      const path = normalize(new URL(request.url ?? "/", "http://host").pathname);
      if (!path.startsWith("/published/") && credentialsOf(request).user !== token) return refuse(response);
      readFile(join(directory, path)).then(
        (content) => response.end(content),
        () => response.writeHead(404).end(),
      );
    }),
  );
  const owned = cleanUp.move();
  return { host, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

type Git = (...args: readonly string[]) => Promise<unknown>;

function addReadme(work: string): Promise<void> {
  return writeFile(join(work, "README.md"), "private\n");
}

/** A bare repository of one commit with what `fill` puts into it, ready to be cloned from a plain file server. */
async function makeRepository(directory: string, name: string, fill: (work: string, git: Git) => Promise<void>): Promise<void> {
  const bare = join(directory, `${name}.git`);
  const work = join(directory, name);
  const git: Git = (...args) => execa("git", ["-C", work, "-c", "user.name=t", "-c", "user.email=t@example.com", ...args]);
  await mkdir(directory, { recursive: true });
  await execa("git", ["init", "--quiet", "--bare", bare]);
  await execa("git", ["clone", "--quiet", bare, work]);
  await fill(work, git);
  await git("add", ".");
  await git("commit", "--quiet", "--message", "first");
  await git("push", "--quiet", "origin", "HEAD");
  await execa("git", ["-C", bare, "update-server-info"]);
}
