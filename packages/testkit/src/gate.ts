/** What a step of a build waits for until the test lets it go on. Steps have the network of the host. */
import { serve } from "@lamina/registry/test-support";

export interface Gate extends AsyncDisposable {
  /** A command that ends when the gate is open. The base needs Python. */
  readonly wait: string;
  /** Lets go all that wait, and all that come later. */
  open(): void;
}

export async function gate(): Promise<Gate> {
  const opened = Promise.withResolvers<void>();
  const server = await serve((_request, response) => void opened.promise.then(() => response.end()));
  return {
    wait: `python3 -c "from urllib.request import urlopen; urlopen('http://${server.host}/')"`,
    open: opened.resolve,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
