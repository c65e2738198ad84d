/** Answers a registry's challenge: basic credentials, or a token of the server that it names, kept until it expires. */
import { z } from "zod";
import { parseChallenge, type Challenge } from "./challenge.ts";
import { RegistryError } from "./errors.ts";
import { failureOf } from "./failure.ts";
import type { Http } from "./http.ts";
import { withRetries } from "./retry.ts";
import type { Credentials } from "./types.ts";

/** What a request may do, in the words of the token protocol: `repository:NAME:pull,push`. */
export type Scope = readonly string[];

export interface Authenticator {
  /** The Authorization header for a scope, as far as the registry has challenged already. */
  authorization(scope: Scope, signal: AbortSignal | undefined): Promise<string | undefined>;
  /**
   * Takes in the challenge of a refused request; true when trying again makes sense.
   * @param refused the Authorization header that was refused
   */
  challenged(header: string | null, attempt: { scope: Scope; refused: string | undefined }): boolean;
}

interface Token {
  readonly value: string;
  readonly expiresAtMs: number;
}

/** Tokens end this much before the server's time for them, so that none expires on its way. */
const expiryMarginMs = 5_000;
const defaultLifetimeSeconds = 60;

const TokenAnswer = z
  .looseObject({ token: z.string().optional(), access_token: z.string().optional(), expires_in: z.number().optional() })
  .transform(({ token, access_token, expires_in }) => ({ value: token ?? access_token, seconds: expires_in ?? defaultLifetimeSeconds }));

export function createAuthenticator(options: {
  readonly http: Http;
  readonly registry: URL;
  readonly credentials: Credentials | undefined;
  readonly now: () => number;
}): Authenticator {
  const { http, registry, credentials, now } = options;
  const basic = credentials && `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`;
  const tokens = new Map<string, Promise<Token>>();
  let challenge: Challenge | undefined;

  async function authorization(scope: Scope, signal: AbortSignal | undefined): Promise<string | undefined> {
    if (challenge === undefined) return undefined;
    if (challenge.scheme === "basic") return basic;
    return `Bearer ${(await token(challenge, scope, signal)).value}`;
  }

  async function token(bearer: Challenge & { scheme: "bearer" }, scope: Scope, signal: AbortSignal | undefined): Promise<Token> {
    const key = scope.join(" ");
    const cached = await tokens.get(key)?.catch(() => undefined);
    if (cached !== undefined && cached.expiresAtMs > now()) return cached;
    const pending = withRetries(() => requestToken(bearer, scope, signal), signal);
    tokens.set(key, pending);
    pending.catch(() => tokens.delete(key));
    return pending;
  }

  async function requestToken(bearer: Challenge & { scheme: "bearer" }, scope: Scope, signal: AbortSignal | undefined): Promise<Token> {
    const url = tokenUrl(bearer, scope);
    const answer = await http.exchange({ method: "GET", url, headers: { accept: "application/json" }, authorization: basic, signal });
    if (answer.status !== 200) throw await failureOf(answer, `get a token for ${registry.host}`);
    const parsed = TokenAnswer.safeParse(parseJson(await answer.bytes(1 << 20)));
    if (!parsed.success || parsed.data.value === undefined) {
      throw new RegistryError("CORRUPT", `the token server ${url.host} of ${registry.host} did not answer with a token`);
    }
    return { value: parsed.data.value, expiresAtMs: now() + parsed.data.seconds * 1000 - expiryMarginMs };
  }

  function tokenUrl(bearer: Challenge & { scheme: "bearer" }, scope: Scope): URL {
    const url = URL.parse(bearer.realm);
    if (url === null) throw new RegistryError("CORRUPT", `${registry.host} names a token server that is not an address`);
    if (registry.protocol === "https:" && url.protocol !== "https:") {
      throw new RegistryError("UNAUTHORIZED", `${registry.host} asks to send credentials in the clear to ${url.host}`);
    }
    if (bearer.service !== undefined) url.searchParams.set("service", bearer.service);
    for (const part of scope) url.searchParams.append("scope", part);
    return url;
  }

  function challenged(header: string | null, attempt: { scope: Scope; refused: string | undefined }): boolean {
    challenge = parseChallenge(header);
    if (attempt.refused !== undefined) tokens.delete(attempt.scope.join(" "));
    if (challenge === undefined) return false;
    return challenge.scheme === "bearer" || (basic !== undefined && basic !== attempt.refused);
  }

  return { authorization, challenged };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
