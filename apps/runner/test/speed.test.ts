/** How fast calls are, printed: `LAMINA_MEASURE=1 vitest run --config infra/vitest.config.ts --project runner speed`. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { JSON_VALUE } from "@lamina/api";
import { controlPlane } from "@lamina/service";
import { base } from "@lamina/testkit";
import { jetstream } from "@nats-io/jetstream";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { executableImage } from "../src/engine/executable-image.ts";
import { testEngine } from "./support/engine.ts";
import { type FunctionWorld, functionWorld } from "./support/function-world.ts";
import { startRunner } from "./support/world.ts";

const FILES = {
  "main.py": `
def nothing():
    return None

async def nothing_later():
    return None
`,
  "main.mjs": `
const handlers = (globalThis[Symbol.for("lamina.handlers")] ??= new Map());
handlers.set("nothing", () => null);
`,
};
const WARM_CALLS = 1_000;
const COLD_STARTS = 20;

describe.runIf(process.env["LAMINA_MEASURE"])("how long it takes", { timeout: 300_000 }, () => {
  let here: FunctionWorld;
  let runner: AsyncDisposable;
  beforeAll(async () => {
    here = await functionWorld(FILES);
    runner = startRunner(here);
  });
  afterAll(async () => {
    await runner[Symbol.asyncDispose]();
    await here[Symbol.asyncDispose]();
  });

  test.each([
    ["Python", () => here.python("nothing")],
    ["asynchronous Python", () => here.python("nothing_later")],
    ["TypeScript", () => here.typescript("nothing")],
  ])("a warm call of %s, from its message to its end in the control plane", async (name, serve) => {
    const served = serve();
    const call = async () => (await here.call(served)).end;
    for (let count = 0; count < 100; count += 1) await call();
    const measured = await times(WARM_CALLS, call);
    print(`warm call, ${name}`, measured);
    expect(measured).toHaveLength(WARM_CALLS);
  });

  test("what a warm call does not take in the runner: a message and a request of the control plane", async () => {
    const { LAMINA_URL: url = "", LAMINA_TOKEN: token = "" } = here.environment;
    const { calls } = controlPlane({ url, token });
    const id = "of-nobody";
    const end = { state: "done", result: { type: JSON_VALUE, data: "null" } } as const;
    const measured = await times(WARM_CALLS, () => calls.finish({ calls: [{ id, delivery: 1, startedAt: Date.now(), end }] }));
    print("a request of the control plane", measured);
    const client = jetstream(here.connection);
    const subject = here.names.logs.subject("nobody", undefined);
    print("a message that NATS takes", await times(WARM_CALLS, () => client.publish(subject, "{}")));
    expect(measured).toHaveLength(WARM_CALLS);
  });

  test.each([
    ["Python", () => here.python("nothing", { idleSeconds: 0 })],
    ["TypeScript", () => here.typescript("nothing", { idleSeconds: 0 })],
  ])("a cold start of %s, from its message to its end in the control plane", async (name, serve) => {
    const served = serve();
    const measured: number[] = [];
    for (let count = 0; count < COLD_STARTS; count += 1) {
      measured.push(await time(async () => (await here.call(served)).end));
      await delay(700);
    }
    print(`cold start, ${name}`, measured);
    expect(measured).toHaveLength(COLD_STARTS);
  });

  test("plain runc of Python that does nothing, on the same files", async () => {
    await using engine = await testEngine();
    const image = await executableImage(await base("3.13"), { ...engine, prefix: "lamina-measure-" }, AbortSignal.timeout(60_000));
    const bundle = await mkdtemp(path.join(tmpdir(), "lamina-measure-"));
    await Promise.all(["upper", "work", "rootfs"].map((name) => mkdir(path.join(bundle, name))));
    const overlay = `lowerdir=${image.layers.join(":")},upperdir=${bundle}/upper,workdir=${bundle}/work`;
    await execa("mount", ["-t", "overlay", "-o", overlay, "overlay", path.join(bundle, "rootfs")]);
    try {
      await execa("runc", ["spec"], { cwd: bundle });
      const file = path.join(bundle, "config.json");
      const spec = z.looseObject({ process: z.looseObject({}), root: z.looseObject({}) }).parse(JSON.parse(await readFile(file, "utf8")));
      const changed = {
        ...spec,
        process: { ...spec.process, terminal: false, args: ["python3", "-c", "pass"] },
        root: { ...spec.root, readonly: false },
      };
      await writeFile(file, JSON.stringify(changed));
      const run = () => execa("runc", ["run", path.basename(bundle)], { cwd: bundle, stdin: "ignore" });
      const measured = await times(COLD_STARTS, run);
      print("plain runc run", measured);
      expect(measured).toHaveLength(COLD_STARTS);
    } finally {
      await execa("umount", [path.join(bundle, "rootfs")]);
      await rm(bundle, { recursive: true, force: true });
    }
  });
});

async function times(count: number, action: () => Promise<unknown>): Promise<number[]> {
  const measured: number[] = [];
  for (let index = 0; index < count; index += 1) measured.push(await time(action));
  return measured;
}

async function time(action: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await action();
  return performance.now() - started;
}

function print(what: string, measured: readonly number[]): void {
  const sorted = measured.toSorted((a, b) => a - b);
  const at = (part: number) => (sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(2);
  process.stdout.write(`${what}: median ${at(0.5)} ms, fastest ${at(0)} ms, 90 % under ${at(0.9)} ms\n`);
}
