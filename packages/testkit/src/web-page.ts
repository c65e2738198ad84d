/** A page for functions, whose containers reach everything but the machine's loopback. */
import { once } from "node:events";
import { createServer } from "node:http";
import { networkInterfaces } from "node:os";

export interface WebPage extends AsyncDisposable {
  readonly url: string;
}

/** Serves HTML at an address of the machine that is not its loopback. @throws {Error} where it has none */
export async function webPage(html: string): Promise<WebPage> {
  const address = Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.family === "IPv4" && !one.internal)?.address;
  if (address === undefined)
    throw new Error("this machine has no IPv4 address beside its loopback, at which a container could reach a page");
  const server = createServer((_, response) => response.writeHead(200, { "content-type": "text/html" }).end(html));
  server.listen(0, address);
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new TypeError("the server listens on a TCP port");
  return {
    url: `http://${address}:${bound.port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
