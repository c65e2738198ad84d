/** Stand-ins for a private git server and a private package index: files behind a password. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createReadStream, statSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join, normalize } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface PrivateSources extends AsyncDisposable {
  /** Serves `private/repo.git` to whoever gives the token as user. */
  readonly git: string;
  /** Serves `private-package` to whoever gives the token as password of the user `token`. */
  readonly index: string;
}

export interface PrivateTokens {
  readonly git: string;
  readonly index: string;
}

export async function privateSources(tokens: PrivateTokens): Promise<PrivateSources> {
  await using cleanUp = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "lamina-private-"));
  cleanUp.defer(() => rm(directory, { recursive: true, force: true }));
  await makeRepository(directory);
  await makeIndex(directory);
  const git = await serve(join(directory, "git"), (user) => user === tokens.git);
  cleanUp.defer(() => void git.server.close());
  const index = await serve(join(directory, "index"), (user, password) => user === "token" && password === tokens.index);
  cleanUp.defer(() => void index.server.close());
  const owned = cleanUp.move();
  return { git: git.url, index: `${index.url}/simple/`, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** A bare repository that git can clone from a plain file server. */
async function makeRepository(directory: string): Promise<void> {
  const work = join(directory, "work");
  const bare = join(directory, "git/private/repo.git");
  const git = (...args: string[]) => run("git", ["-C", work, "-c", "user.name=t", "-c", "user.email=t@example.com", ...args]);
  await mkdir(work);
  await run("git", ["init", "--quiet", work]);
  await writeFile(join(work, "README.md"), "private\n");
  await git("add", ".");
  await git("commit", "--quiet", "--message=first");
  await run("git", ["clone", "--quiet", "--bare", work, bare]);
  await run("git", ["-C", bare, "update-server-info"]);
}

/** A package index in the "simple" form, with one wheel. */
async function makeIndex(directory: string): Promise<void> {
  const wheel = join(directory, "wheel");
  const info = join(wheel, "private_package-99.0.dist-info");
  const project = join(directory, "index/simple/private-package");
  await Promise.all([join(wheel, "private_package"), info, project].map((path) => mkdir(path, { recursive: true })));
  await writeFile(join(wheel, "private_package/__init__.py"), "ANSWER = 42\n");
  await writeFile(join(info, "METADATA"), "Metadata-Version: 2.1\nName: private-package\nVersion: 99.0\n");
  await writeFile(join(info, "WHEEL"), "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n");
  await writeFile(
    join(info, "RECORD"),
    "private_package/__init__.py,,\nprivate_package-99.0.dist-info/METADATA,,\nprivate_package-99.0.dist-info/WHEEL,,\n",
  );
  const file = "private_package-99.0-py3-none-any.whl";
  await run("python3", ["-m", "zipfile", "-c", join(project, file), "private_package", "private_package-99.0.dist-info"], { cwd: wheel });
  await writeFile(join(project, "index.html"), `<!DOCTYPE html><a href="${file}">${file}</a>\n`);
}

/** Serves the files of a directory to those who are let in, by basic authentication. */
async function serve(directory: string, isLetIn: (user: string, password: string) => boolean): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    const [, encoded = ""] = (request.headers.authorization ?? "").split("Basic ");
    const [user = "", password = ""] = Buffer.from(encoded, "base64").toString().split(":");
    if (!isLetIn(user, password)) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="private"' }).end();
      return;
    }
    const asked = normalize(new URL(request.url ?? "/", "http://host").pathname);
    const path = join(directory, asked.endsWith("/") ? `${asked}index.html` : asked);
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader("content-type", path.endsWith(".html") ? "text/html" : "application/octet-stream");
    createReadStream(path).pipe(response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return { server, url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}` };
}
