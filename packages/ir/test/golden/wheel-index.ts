/** A package index on loopback that gives lamina-sample to those who know its token. */
import { createServer } from "node:http";
import { wheel } from "./wheel.ts";

export interface WheelIndex extends AsyncDisposable {
  /** host:port */
  readonly host: string;
}

export interface PackageFile {
  readonly name: string;
  readonly content: Uint8Array;
}

const NEWER: PackageFile = { name: wheel.newerFileName, content: wheel.newer };

export async function wheelIndex(token: string, { name, content }: PackageFile = NEWER): Promise<WheelIndex> {
  const expected = `Basic ${Buffer.from(`token:${token}`).toString("base64")}`;
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    const authorized = request.headers.authorization === expected;
    if (!authorized) response.writeHead(401, { "www-authenticate": 'Basic realm="index"' }).end();
    else if (path === "/simple/lamina-sample/") {
      response.writeHead(200, { "content-type": "text/html" }).end(`<a href="/files/${name}">${name}</a>`);
    } else if (path === `/files/${name}`) {
      response.writeHead(200, { "content-type": "application/octet-stream" }).end(content);
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the index has no port");
  return {
    host: `127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
