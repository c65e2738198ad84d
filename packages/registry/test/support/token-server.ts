/** A token server as registries know it: it signs what basic credentials may do, and the real registry checks the signature. */
import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { credentials, others } from "./distribution.ts";
import { serve, type HttpServer } from "./http-server.ts";

const service = "the-registry";
const issuer = "the-token-server";
const keyId = "key-1";

export interface TokenServer {
  readonly http: HttpServer;
  /** The tokens that it gave, in order. */
  readonly given: readonly string[];
  /** The `auth` section of a registry that trusts this server. */
  readonly auth: (directory: string) => Promise<object>;
}

/** @param lifetimeSeconds what the server says about its tokens; they are valid for longer */
export async function startTokenServer(lifetimeSeconds: number): Promise<TokenServer> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const known = new Set([credentials, others].map(({ username, password }) => basic(`${username}:${password}`)));
  const given: string[] = [];

  const http = await serve((request, response) => {
    if (!known.has(request.headers.authorization ?? "")) {
      response.writeHead(401).end();
      return;
    }
    const scopes = new URL(request.url ?? "", "http://token").searchParams.getAll("scope");
    const token = tokenFor(scopes);
    given.push(token);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ token, expires_in: lifetimeSeconds }));
  });

  function tokenFor(scopes: readonly string[]): string {
    const seconds = Math.floor(Date.now() / 1000);
    const access = scopes.map((scope) => {
      const [type, name, actions = ""] = scope.split(":");
      return { type, name, actions: actions.split(",") };
    });
    const claims = {
      iss: issuer,
      sub: "somebody",
      aud: service,
      iat: seconds,
      nbf: seconds - 10,
      exp: seconds + 3600,
      jti: randomUUID(),
      access,
    };
    const signed = `${encode({ alg: "ES256", typ: "JWT", kid: keyId })}.${encode(claims)}`;
    return `${signed}.${sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
  }

  return {
    http,
    given,
    async auth(directory) {
      const jwks = join(directory, "jwks.json");
      await writeFile(jwks, JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: keyId, alg: "ES256", use: "sig" }] }));
      return { token: { realm: `http://${http.host}/token`, service, issuer, jwks, signingalgorithms: ["ES256"] } };
    },
  };
}

function basic(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString("base64")}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
