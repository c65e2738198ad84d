import { getEventListeners, once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { LaminaError, laminaError } from "@lamina/api";
import { describe, expect, test } from "vitest";
import { controlPlane, healthServer } from "../src/index.ts";

const proof = { id: "a", token: 1 };

async function serve(listener: RequestListener, port = 0): Promise<Server & AsyncDisposable> {
  const server = createServer(listener);
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("it listens on TCP");
  return address.port;
}

const renewedLease: RequestListener = (request, response) => {
  const status = request.headers.authorization === "Bearer t" && request.url?.startsWith("/v1/trpc/attempts.renew") === true ? 200 : 500;
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ result: { data: { leaseSeconds: 15, cancelled: false } } }));
};

describe("the control plane's client", () => {
  test("calls with its token", async () => {
    await using server = await serve(renewedLease);
    const { attempts } = controlPlane({ url: `http://127.0.0.1:${portOf(server)}`, token: "t" });
    expect(await attempts.renew(proof)).toEqual({ leaseSeconds: 15, cancelled: false });
  });

  test("throws the error that the control plane gave", async () => {
    await using server = await serve((_request, response) => {
      response.writeHead(409, { "content-type": "application/json" });
      const lamina = { code: "LEASE_LOST", message: "Another builder has it." };
      response.end(JSON.stringify({ error: { code: -32009, message: lamina.message, data: { lamina } } }));
    });
    const { attempts } = controlPlane({ url: `http://127.0.0.1:${portOf(server)}`, token: "t" });
    const error = await attempts.renew(proof).catch(laminaError);
    expect(error).toBeInstanceOf(LaminaError);
    expect(error).toMatchObject({ code: "LEASE_LOST", message: "Another builder has it." });
  });

  test("waits for a control plane that is being restarted", async () => {
    const first = await serve(renewedLease);
    const port = portOf(first);
    first.close();
    await once(first, "close");
    const call = controlPlane({ url: `http://127.0.0.1:${port}`, token: "t" }).attempts.renew(proof);
    await using _second = await serve(renewedLease, port);
    expect(await call).toEqual({ leaseSeconds: 15, cancelled: false });
  });

  test("leaves nothing on a signal that outlives its calls", async () => {
    await using server = await serve(renewedLease);
    const { signal } = new AbortController();
    const { attempts } = controlPlane({ url: `http://127.0.0.1:${portOf(server)}`, token: "t" });
    for (let calls = 0; calls < 3; calls += 1) await attempts.renew(proof, { signal });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("ends a call with its signal", async () => {
    await using server = await serve(() => {});
    const { attempts } = controlPlane({ url: `http://127.0.0.1:${portOf(server)}`, token: "t" });
    await expect(attempts.renew(proof, { signal: AbortSignal.timeout(10) })).rejects.toThrow(LaminaError);
  });
});

describe("health", () => {
  test("is ready when every check is, and says what is wrong otherwise", async () => {
    let broken = false;
    const checks = {
      nats: async () => {
        if (broken) throw new Error("not connected");
      },
    };
    await using health = await healthServer({ host: "127.0.0.1", port: 0 }, checks);
    const ask = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${health.address.port}${path}`);
      return { status: response.status, body: await response.json() };
    };
    expect(await ask("/readyz")).toEqual({ status: 200, body: { nats: "ok" } });
    broken = true;
    expect(await ask("/readyz")).toEqual({ status: 503, body: { nats: "not connected" } });
    expect((await ask("/healthz")).status).toBe(200);
  });
});
