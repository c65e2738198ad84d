/** A registry over HTTP, by the OCI distribution specification. */
import { createAuthenticator } from "./auth.ts";
import { RegistryError } from "./errors.ts";
import { createHttp } from "./http.ts";
import { repositoryFault } from "./reference.ts";
import { createRepository } from "./repository.ts";
import { fetchOrSend } from "./send-body.ts";
import { createSession } from "./session.ts";
import type { Registry, RegistryOptions } from "./types.ts";

const defaultTimeouts = { responseMs: 30_000, idleMs: 60_000, uploadMs: 300_000 };

/** @throws {RegistryError} `INVALID_REFERENCE` when the host is malformed. Asks nothing. */
export function createRegistry(options: RegistryOptions): Registry {
  const { host, insecure = false, credentials, fetch = fetchOrSend, timeouts } = options;
  const api = URL.parse(`${insecure ? "http" : "https"}://${apiHostOf(host)}/v2/`);
  if (api === null) throw new RegistryError("INVALID_REFERENCE", `"${host}" is not the host of a registry`);
  const http = createHttp({ fetch, timeouts: { ...defaultTimeouts, ...timeouts } });
  const authenticator = createAuthenticator({ http, registry: api, credentials, now: Date.now });
  const session = createSession({ http, api, authenticator });

  return {
    repository(name) {
      const fault = repositoryFault(name);
      if (fault !== undefined) throw new RegistryError("INVALID_REFERENCE", fault);
      return createRepository({ session, host, name });
    },
  };
}

/** Docker Hub's references name another host than the one that serves it. */
function apiHostOf(host: string): string {
  return host === "docker.io" ? "registry-1.docker.io" : host;
}
