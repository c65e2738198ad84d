/** Shells in the runner, as the control plane asks for them. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  NumberedShellEvent,
  ShellAnswer,
  type ShellCommand,
  type ShellEvent,
  type ShellMessage,
  type ShellRequest,
  type ShellTerminal,
} from "@lamina/api";
import { v7 as newId } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
import { done, type FunctionWorld, functionWorld } from "./support/function-world.ts";
import { startRunner } from "./support/world.ts";

const FILES = {
  "main.py": `
import os

def devices():
    return sorted(name for name in os.listdir("/dev") if name.startswith("lamina-test-gpu"))
`,
};

let here: FunctionWorld;
let runner: AsyncDisposable;
let cdi: string;
beforeAll(async () => {
  cdi = await mkdtemp(path.join(tmpdir(), "lamina-runner-cdi-"));
  const devices = ["0", "1"].map((name) => ({
    name,
    containerEdits: { env: ["LAMINA_TEST_GPU=1"], deviceNodes: [{ path: `/dev/lamina-test-gpu-${name}`, hostPath: "/dev/null" }] },
  }));
  await writeFile(path.join(cdi, "test.json"), JSON.stringify({ cdiVersion: "0.6.0", kind: "nvidia.com/gpu", devices }));
  here = await functionWorld(FILES, { environment: { LAMINA_GPUS: "0,1", LAMINA_CDI: cdi } });
  runner = startRunner(here);
});
afterAll(async () => {
  await runner[Symbol.asyncDispose]();
  await here[Symbol.asyncDispose]();
  await rm(cdi, { recursive: true, force: true });
});

interface Opened {
  readonly events: AsyncIterable<ShellEvent>;
  tell(message: ShellMessage): Promise<ShellAnswer>;
}

/** Asks until a runner is there. */
async function open(of: ShellRequest["of"], command: ShellCommand, terminal?: ShellTerminal): Promise<Opened> {
  const { connection, names } = here;
  const id = newId();
  const subscription = connection.subscribe(names.shells.events("one", id));
  const ask = async (subject: string, message: object) =>
    ShellAnswer.parse((await connection.request(subject, JSON.stringify(message))).json());
  const request = { id, workspace: "one", of, command, terminal } satisfies ShellRequest;
  await expect.poll(() => ask(names.shells.requests("cpu"), request).catch(() => undefined)).toEqual({ taken: true });
  return {
    events: (async function* () {
      for await (const message of subscription) {
        const { event } = NumberedShellEvent.parse(message.json());
        yield event;
        if (event.type === "shell-exited" || event.type === "shell-failed") return;
      }
    })(),
    tell: (message) => ask(names.shells.messages("one", id), message),
  };
}

async function toItsEnd({ events }: Opened): Promise<{ shown: string; prepared: string[]; end: ShellEvent | undefined }> {
  let shown = "";
  let end: ShellEvent | undefined;
  const prepared: string[] = [];
  for await (const event of events) {
    if (event.type === "shell-output") shown += Buffer.from(event.data, "base64").toString();
    if (event.type === "shell-preparing") prepared.push(event.what);
    end = event;
  }
  return { shown, prepared, end };
}

const line = (text: string): ShellCommand => ({ kind: "line", line: text });
const LIST = line("ls /dev | grep lamina-test-gpu; echo $LAMINA_TEST_GPU $TOKEN");

test("a shell of a function has as many GPUs as its containers, its code and its secrets", async () => {
  const served = here.python("devices", { gpus: 2 });
  here.functions.secrets.set(served.id, { TOKEN: "its own" });
  const { shown, end } = await toItsEnd(await open({ kind: "function", function: served }, LIST));
  expect(shown).toBe("lamina-test-gpu-0\nlamina-test-gpu-1\n1 its own\n");
  expect(end).toEqual({ type: "shell-exited", exitCode: 0 });
});

test("it waits for GPUs that a function has, which lets go of those that it does not use", async () => {
  const served = here.python("devices", { gpus: 2, idleSeconds: 600, maxContainers: 1 });
  expect(await (await here.call(served)).end).toMatchObject(done(["lamina-test-gpu-0", "lamina-test-gpu-1"]));
  const { prepared, end } = await toItsEnd(await open({ kind: "function", function: served }, LIST));
  expect(prepared.at(-1)).toContain("Waiting for 2 GPUs");
  expect(end).toEqual({ type: "shell-exited", exitCode: 0 });
});

test("more GPUs than there are is an error that says so", async () => {
  const served = here.python("devices", { gpus: 3 });
  const { end } = await toItsEnd(await open({ kind: "function", function: served }, LIST));
  expect(end).toMatchObject({ type: "shell-failed", error: { code: "POOL_UNAVAILABLE", message: expect.stringContaining("3 GPUs") } });
});

test("an image that cannot be fetched fails the shell with the reason", async () => {
  const { image } = here.python("devices");
  const missing = { ...image, digest: `sha256:${"1".repeat(64)}` as const };
  const { end } = await toItsEnd(await open({ kind: "image", image: missing }, { kind: "shell" }));
  expect(end).toMatchObject({ type: "shell-failed", error: { code: "REGISTRY_UNAVAILABLE" } });
});

test("one that nobody follows any more ends by itself, though it has much to say", async () => {
  const { image } = here.python("devices");
  const shell = await open({ kind: "image", image }, line("yes"), { columns: 80, rows: 24, type: "xterm" });
  await expect.poll(() => shell.tell({ type: "follow", after: 0 }).catch(() => "gone"), { timeout: 5_000 }).toEqual({ taken: true });
  // As many as may be on their way; then it waits, and hears of nobody.
  await expect
    .poll(() => shell.tell({ type: "resize", columns: 80, rows: 24 }).catch(() => "gone"), { timeout: 40_000, interval: 500 })
    .toBe("gone");
});
