/** The runs of a control plane in memory, behind the real router over HTTP. */
import { once } from "node:events";
import { type ClaimedRun, type FinishRunInput, LaminaError, type RenewedLease, router, RPC_PATH, type Services } from "@lamina/api";
import { createHTTPServer } from "@trpc/server/adapters/standalone";
import type { TestLine } from "./line.ts";
import { testFunctions, type TestFunctions } from "./test-functions.ts";

export type Outcome = FinishRunInput["outcome"];

export interface TestControlPlane extends AsyncDisposable {
  readonly url: string;
  readonly token: string;
  /** The workers that were heard of. */
  readonly workers: ReadonlySet<string>;
  readonly functions: TestFunctions;
  /** Adds a run that can be claimed once. */
  add(id: string, run: Pick<ClaimedRun, "image" | "command">): TestRun;
}

export interface TestRun {
  /** Resolves to how the run was finished. */
  readonly outcome: Promise<Outcome>;
  /** What each renewal from now on says; it may throw. */
  renewal: () => RenewedLease;
}

const leaseSeconds = 15;
const token = "a-worker";

/** @param line where runners have one */
export async function testControlPlane(line?: TestLine): Promise<TestControlPlane> {
  const runs = new Map<string, { claimed: ClaimedRun | null; run: TestRun; finish: (outcome: Outcome) => void }>();
  const workers = new Set<string>();
  const known = (id: string) => {
    const found = runs.get(id);
    if (found === undefined) throw new LaminaError({ code: "NOT_FOUND", message: `no run ${id}` });
    return found;
  };
  const functions = testFunctions(refuse, refuseToFollow);
  const services: Services = {
    ...refusing,
    ...functions.services,
    platform: { info: refuse, heartbeat: async (_, { name }) => void workers.add(name) },
    runs: {
      start: refuse,
      cancel: refuse,
      follow: refuseToFollow,
      async claim(_, { id }) {
        const found = known(id);
        const { claimed } = found;
        found.claimed = null;
        return claimed;
      },
      renew: async (_, { id }) => known(id).run.renewal(),
      finish: async (_, { id, outcome }) => known(id).finish(outcome),
    },
  };
  const server = createHTTPServer({
    router,
    basePath: `${RPC_PATH}/`,
    createContext: ({ req }) => ({
      services,
      caller: req.headers.authorization === `Bearer ${token}` ? { workspace: "default", role: "worker" as const } : null,
    }),
  });
  line?.attach(server, token);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("it listens on a TCP port");

  return {
    url: `http://127.0.0.1:${address.port}`,
    token,
    workers,
    functions,
    add(id, { image, command }) {
      const { promise: outcome, resolve: finish } = Promise.withResolvers<Outcome>();
      const run: TestRun = { outcome, renewal: () => ({ leaseSeconds, cancelled: false }) };
      runs.set(id, { claimed: { token: 1, leaseSeconds, image, command: [...command] }, run, finish });
      return run;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      line?.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

const refuse = async (): Promise<never> => {
  throw new LaminaError({ code: "INTERNAL", message: "A runner does not ask for this." });
};
// eslint-disable-next-line require-yield -- it only refuses
async function* refuseToFollow(): AsyncGenerator<never> {
  await refuse();
}

const refusing: Omit<Services, "platform" | "runs" | "functions" | "calls"> = {
  images: { plan: refuse, list: refuse },
  contexts: { missingFiles: refuse, commitTree: refuse },
  builds: { start: refuse, get: refuse, list: refuse, cancel: refuse, follow: refuseToFollow },
  apps: { deploy: refuse, list: refuse, get: refuse, stop: refuse, keep: refuse },
  secrets: { set: refuse, list: refuse, remove: refuse },
  attempts: { claim: refuse, renew: refuse, publish: refuse, finish: refuse, release: refuse },
  shells: { open: refuse, write: refuse, resize: refuse, seen: refuse, close: refuse, follow: refuseToFollow },
};
