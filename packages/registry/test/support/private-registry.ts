/** A private registry of a test's own: the real one, which lets in who has the credentials. */
import { credentials, type Distribution, others, startDistribution } from "./distribution.ts";
import { startTokenServer } from "./token-server.ts";

export interface PrivateRegistry extends Distribution {
  readonly credentials: { readonly username: string; readonly password: string };
  /** Of another user, who may do the same. */
  readonly others: { readonly username: string; readonly password: string };
  /** The tokens that were given until now. */
  tokens(): readonly string[];
}

/** @param auth whether it takes the credentials themselves, or tokens that a server beside it gives for them */
export async function privateRegistry(auth: "basic" | "bearer"): Promise<PrivateRegistry> {
  await using cleanUp = new AsyncDisposableStack();
  const tokens = auth === "basic" ? undefined : await startTokenServer(TOKENS_LAST_SECONDS);
  if (tokens !== undefined) cleanUp.use(tokens.http);
  const { host, directory } = cleanUp.use(await startDistribution(tokens?.auth));
  const owned = cleanUp.move();
  return { host, directory, credentials, others, tokens: () => tokens?.given ?? [], [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const TOKENS_LAST_SECONDS = 600;
