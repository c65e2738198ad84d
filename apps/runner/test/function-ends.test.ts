import type { ServedFunction } from "@lamina/api";
import { tinyBase } from "@lamina/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { done, failed, type FunctionWorld, functionWorld, locationOf } from "./support/function-world.ts";
import { startRunner, type TestCall } from "./support/world.ts";

const FILES = {
  "main.py": `
import asyncio, os, signal, time

def echo(value):
    return value

def leave(code):
    print("leaving")
    os._exit(code)

def kill_itself():
    os.kill(os.getpid(), signal.SIGKILL)

def fill(mib):
    return len(bytearray(mib * 1024 * 1024))

def spin():
    print("spinning", flush=True)
    while True: pass

def block(seconds):
    print("blocking", seconds, flush=True)
    time.sleep(seconds)
    return seconds

async def wait_or_leave(seconds):
    if seconds == 0: os._exit(5)
    return await wait(seconds)

async def wait(seconds):
    print("waiting", seconds)
    await asyncio.sleep(seconds)
    return seconds
`,
  "broken.py": `
def set_up():
    raise RuntimeError("no set-up today")

set_up()
`,
  "full.py": `x = bytearray(400 * 1024 * 1024)`,
  "main.mjs": `
const handlers = (globalThis[Symbol.for("lamina.handlers")] ??= new Map());
handlers.set("wait", async () => new Promise(() => {}));
`,
};

/** Control groups are root's. */
const hasLimits = process.getuid?.() === 0;

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

async function endOf(served: ServedFunction, ...args: readonly unknown[]) {
  return (await here.call(served, args)).end;
}

/** Waits for what a call prints. */
async function prints(served: ServedFunction, { id }: TestCall): Promise<void> {
  await expect.poll(() => here.lines(served, id)).not.toEqual([]);
}

describe("a call ends when its process does", () => {
  test("by itself: with its exit code, and what it printed", async () => {
    const leave = here.python("leave");
    const { id, end } = await here.call(leave, [7]);
    const message = "The process of the function ended in the middle of the call: exit code 7.";
    expect(await end).toMatchObject(failed("CALL_CRASHED", { message }));
    expect(await here.lines(leave, id)).toMatchObject([{ stream: "stdout", lines: ["leaving"] }]);
  });

  test("by a signal: with its number, and the next call has a new container", async () => {
    const kill = here.python("kill_itself");
    const message = "The process of the function ended in the middle of the call: signal 9.";
    expect(await endOf(kill)).toMatchObject(failed("CALL_CRASHED", { message }));
    expect(await endOf(kill)).toMatchObject(failed("CALL_CRASHED", { message }));
  });

  test.skipIf(!hasLimits)("for want of memory", async () => {
    const fill = here.python("fill", { memoryMib: 96 });
    expect(await endOf(fill, 10)).toMatchObject(done(10 * 1024 * 1024));
    expect(await endOf(fill, 300)).toMatchObject(failed("CALL_OUT_OF_MEMORY", { message: expect.stringContaining("96 MiB") }));
  });

  test("and so do those beside it", async () => {
    const both = { concurrency: 2, maxContainers: 1 };
    const crash = here.python("wait_or_leave", both);
    const first = await here.call(crash, [600]);
    await prints(crash, first);
    const second = await here.call(crash, [0]);
    expect([await first.end, await second.end]).toMatchObject([failed("CALL_CRASHED"), failed("CALL_CRASHED")]);
  });
});

describe("a call that takes too long", () => {
  test("is ended, and the next one is served", async () => {
    const wait = here.python("wait", { timeoutSeconds: 0.3, maxContainers: 1 });
    expect(await endOf(wait, 600)).toMatchObject(failed("CALL_TIMED_OUT", { message: expect.stringContaining("0.3 s") }));
    expect(await endOf(wait, 0)).toMatchObject(done(0));
  });

  test("that computes is ended as well", async () => {
    expect(await endOf(here.python("spin", { timeoutSeconds: 0.3 }))).toMatchObject(failed("CALL_TIMED_OUT"));
  });

  test("does no harm to one beside it, which comes again", async () => {
    const wait = here.python("wait", { timeoutSeconds: 2, maxContainers: 1, concurrency: 2 });
    const first = await here.call(wait, [600]);
    await prints(wait, first);
    await expect.poll(() => here.functions.started.some(({ id }) => id === first.id)).toBe(true);
    const second = await here.call(wait, [1.7]);
    expect(await first.end).toMatchObject(failed("CALL_TIMED_OUT"));
    expect(await second.end).toMatchObject(done(1.7));
    expect(here.functions.recorded.get(second.id)).toBe(1);
  });
});

describe("a call that is cancelled", () => {
  test("is ended, nothing is recorded, and the next one is served", async () => {
    const spin = here.python("spin", { maxContainers: 1 });
    const first = await here.call(spin);
    await prints(spin, first);
    const queued = await here.call(spin);
    await here.cancelCalls(queued.id, first.id);
    const next = await here.call(spin);
    await prints(spin, next);
    await here.cancelCalls(next.id);
    expect(await here.lines(spin, queued.id)).toEqual([]);
    expect([here.functions.recorded.get(first.id), here.functions.recorded.get(queued.id)]).toEqual([undefined, undefined]);
  });

  test("ends alone where there are several at once", async () => {
    const wait = here.python("wait", { maxContainers: 1, concurrency: 2 });
    const [first, second] = [await here.call(wait, [600]), await here.call(wait, [0.5])];
    await Promise.all([prints(wait, first), prints(wait, second)]);
    await here.cancelCalls(first.id);
    expect(await second.end).toMatchObject(done(0.5));
    expect(await endOf(wait, 0)).toMatchObject(done(0));
    expect(here.functions.recorded.get(first.id)).toBe(undefined);
  });
});

test("cancelled calls that do not end take no places of others: their container is ended when nobody wants it", async () => {
  const block = here.python("block", { maxContainers: 1, concurrency: 2 });
  const stuck = [await here.call(block, [600]), await here.call(block, [601])];
  for (const one of stuck) await prints(block, one);
  await here.cancelCalls(...stuck.map(({ id }) => id));
  expect(await endOf(block, 0)).toMatchObject(done(0));
});

test("calls beside one that times out end as ever", async () => {
  const wait = here.python("wait", { maxContainers: 1, concurrency: 4, timeoutSeconds: 0.5 });
  const calls = await Promise.all(Array.from({ length: 60 }, (_, index) => here.call(wait, [index % 20 === 3 ? 600 : 0.005])));
  const ends = await Promise.all(calls.map(({ end }) => end));
  expect(ends).toMatchObject(ends.map((_, index) => (index % 20 === 3 ? failed("CALL_TIMED_OUT") : done(0.005))));
});

describe("a function that cannot be set up", () => {
  const broken = (module: string, more: Partial<ServedFunction> = {}) =>
    here.python("echo", { entry: { language: "python", module, name: "echo" }, ...more });

  test("ends its calls with what importing threw", async () => {
    const end = await endOf(broken("broken"));
    expect(end).toMatchObject(
      failed("FUNCTION_BROKEN", {
        message: "The function cannot be set up: RuntimeError: no set-up today",
        exception: { type: "RuntimeError", stack: expect.stringContaining('File "broken.py", line 5, in <module>\n    set_up()') },
      }),
    );
  });

  test("ends later calls too, each with a new try", async () => {
    const served = broken("broken");
    expect(await endOf(served)).toMatchObject(failed("FUNCTION_BROKEN"));
    expect(await endOf(served)).toMatchObject(failed("FUNCTION_BROKEN"));
  });

  test.each([
    ["a module that is not there", { module: "nowhere", name: "f" }, "ModuleNotFoundError: No module named 'nowhere'"],
    ["a name that is not there", { module: "main", name: "nowhere" }, "AttributeError: module 'main' has no attribute 'nowhere'"],
  ])("says so: %s", async (_, entry, message) => {
    const served = here.python("f", { entry: { language: "python", ...entry } });
    expect(await endOf(served)).toMatchObject(failed("FUNCTION_BROKEN", { message: `The function cannot be set up: ${message}` }));
  });

  test.skipIf(!hasLimits)("for want of memory says so", async () => {
    const message = expect.stringContaining("128 MiB");
    expect(await endOf(broken("full", { memoryMib: 128 }))).toMatchObject(failed("FUNCTION_BROKEN", { message }));
  });

  test("in an image without Python says so", async () => {
    const message = expect.stringContaining("neither python3 nor python");
    expect(await endOf(here.python("echo", { image: locationOf(await tinyBase()) }))).toMatchObject(failed("FUNCTION_BROKEN", { message }));
  });
});

test("a call that was begun too often is given up", async () => {
  const leave = here.python("leave");
  // The end of the first ones does not count.
  here.functions.retry = ({ delivery }) => (delivery <= 5 ? 1 : undefined);
  const { id, end } = await here.call(leave, [1]);
  expect(await end).toMatchObject(failed("CALL_LOST"));
  expect(here.functions.recorded.get(id)).toBe(6);
  here.functions.retry = () => undefined;
});

test("a call that is to be tried again is, until it may not be any more", async () => {
  const leave = here.python("leave", { retries: { max: 2, delayMs: 1, factor: 1, longestDelayMs: 1 } });
  here.functions.retry = ({ delivery }) => (delivery <= 2 ? 1 : undefined);
  const { id, end } = await here.call(leave, [1]);
  expect(await end).toMatchObject(failed("CALL_CRASHED"));
  expect(here.functions.recorded.get(id)).toBe(3);
  here.functions.retry = () => undefined;
});
