import type { IncomingMessage, ServerResponse } from "node:http";

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** What came with a request, by basic authentication. */
export function credentialsOf({ headers }: IncomingMessage): Credentials {
  const [, encoded = ""] = (headers.authorization ?? "").split("Basic ");
  const [user = "", password = ""] = Buffer.from(encoded, "base64").toString().split(":");
  return { user, password };
}

/** Asks for credentials. */
export function refuse(response: ServerResponse): void {
  response.writeHead(401, { "www-authenticate": 'Basic realm="private"' }).end();
}
