/** A real HTTP server whose answers a test decides: for what a good registry never does. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";

export interface HttpServer extends AsyncDisposable {
  readonly host: string;
  /** What was asked, in order. */
  readonly requests: readonly IncomingMessage[];
}

export async function serve(answer: RequestListener): Promise<HttpServer> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    request.resume();
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("the server listens on a TCP port");
  return {
    host: `127.0.0.1:${address.port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
