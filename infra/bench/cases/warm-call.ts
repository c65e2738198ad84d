/** A call of a function whose container is there, beside a request to a web app that does the same. */
import { Agent, request } from "node:http";
import { json } from "node:stream/consumers";
import { supervise } from "@lamina/servers";
import getPort from "get-port";
import type { Bench } from "../bench.ts";
import type { Case } from "../case.ts";
import { deployed } from "../functions/deployed.ts";
import { median } from "../measure.ts";
import { PEERS } from "../peer-python.ts";

const CALLS = 200;
/** A kilobyte of JSON. */
const PAYLOAD = { text: "x".repeat(1_000), number: 1 };

export const warmCall: Case = {
  name: "warm-call",
  what: "a call with 1 kB, its container there",
  ours: "`remote`",
  peer: "a POST to FastAPI",
  goal: { kind: "ratio", atMost: 3 },
  async prepare(bench) {
    const echo = await deployed(bench, "echo", { minContainers: 1, maxContainers: 1 });
    const post = await webApp(bench);
    return { ours: () => medianOf(() => echo.remote(PAYLOAD)), peer: () => medianOf(() => post(PAYLOAD)) };
  },
};

async function medianOf(call: () => Promise<unknown>): Promise<number> {
  const milliseconds: number[] = [];
  for (let calls = 0; calls < CALLS; calls += 1) {
    const startedAt = performance.now();
    await call();
    milliseconds.push(performance.now() - startedAt);
  }
  return median(milliseconds);
}

/** By one worker of uvicorn, on connections that are kept. */
async function webApp({ python, directory, owned }: Bench): Promise<(payload: object) => Promise<unknown>> {
  const port = await getPort({ host: "127.0.0.1" });
  const server = await supervise({
    name: "web",
    command: [await python(), "-m", "uvicorn", "web:app", "--app-dir", PEERS, "--port", String(port), "--log-level", "warning"],
    directory: await directory(),
    stop: { signal: "SIGTERM", graceSeconds: 10, isolated: false },
    isReady: async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok,
    report: (line) => console.error(line),
  });
  owned.defer(() => server.stop());
  const agent = new Agent({ keepAlive: true });
  owned.defer(() => agent.destroy());
  return (payload) =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify(payload);
      const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
      request({ agent, host: "127.0.0.1", port, path: "/echo", method: "POST", headers })
        .on("response", (response) => void json(response).then(resolve, reject))
        .on("error", reject)
        .end(body);
    });
}
