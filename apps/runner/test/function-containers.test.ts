import type { ServedFunction } from "@lamina/api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { done, failed, type FunctionWorld, functionWorld } from "./support/function-world.ts";
import { startRunner } from "./support/world.ts";

const FILES = {
  "main.py": `
import asyncio, os, socket, threading, time

meeting = threading.Barrier(2)

def meet(name):
    print("here is", name)
    meeting.wait(30)
    print("there was", name)
    return name

arrived = []
async def meet_later(name):
    print("here is", name)
    arrived.append(name)
    while len(arrived) < 2: await asyncio.sleep(0.01)
    print("there was", name)
    return name

def container():
    return socket.gethostname()

def write_and_count():
    os.makedirs("/data", exist_ok=True)
    open("/data/%s" % time.time_ns(), "w").close()
    return len(os.listdir("/data"))

class Counter:
    __lamina_enter__ = ["set_up"]
    __lamina_exit__ = ["clean_up"]

    def set_up(self):
        print("set up")
        self.count = 0

    def clean_up(self):
        print("cleaned up", self.count)

    def add(self, number):
        self.count += number
        return self.count

    async def get(self):
        return self.count

class Untidy:
    __lamina_exit__ = ["clean_up"]

    def clean_up(self):
        raise OSError("no broom")

    def get(self):
        return 1

def entering(method):
    method.__lamina_enter__ = True
    return method

class Marked:
    @entering
    async def prepare(self):
        self.value = "prepared"

    def get(self):
        return self.value

class BadSetUp:
    @entering
    def prepare(self):
        raise KeyError("nothing there")

    def get(self):
        return None
`,
  "main.mjs": `
const handlers = (globalThis[Symbol.for("lamina.handlers")] ??= new Map());
const arrived = [];
handlers.set("meet", async (name) => {
  console.log("here is", name);
  arrived.push(name);
  while (arrived.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  console.log("there was", name);
  return name;
});
handlers.set("Untidy", class {
  exit() { throw new Error("no broom"); }
  get() { return 1; }
});
handlers.set("Counter", class {
  async enter() { console.log("set up"); this.count = 0; }
  exit() { console.log("cleaned up", this.count); }
  add(number) { return (this.count += number); }
});
`,
};

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

async function linesOf(served: ServedFunction, call: string | undefined): Promise<string[]> {
  return (await here.lines(served, call)).filter((batch) => batch.function === served.name).flatMap(({ lines }) => lines);
}

describe("several inputs at once in one container", () => {
  const both = { concurrency: 2, maxContainers: 1 };
  test.each([
    ["of a Python function, in threads", () => here.python("meet", both)],
    ["of an asynchronous Python function", () => here.python("meet_later", both)],
    ["of a TypeScript function", () => here.typescript("meet", both)],
  ])("%s: each has its own lines", async (_, served) => {
    const meet = served();
    const [first, second] = [await here.call(meet, ["a"]), await here.call(meet, ["b"])];
    expect([await first.end, await second.end]).toMatchObject([done("a"), done("b")]);
    expect(await linesOf(meet, first.id)).toEqual(["here is a", "there was a"]);
    expect(await linesOf(meet, second.id)).toEqual(["here is b", "there was b"]);
  });
});

describe("a class", () => {
  const methods = { add: "add", get: "get" };
  test("in Python is set up once a container, and cleaned up when the container has long had nothing to do", async () => {
    const counter = here.python("Counter", { methods: ["add", "get"], maxContainers: 1, idleSeconds: 0.5 });
    const add = (number: number) => here.call(counter, [number], { method: methods.add });
    expect(await (await add(2)).end).toMatchObject(done(2));
    expect(await (await add(3)).end).toMatchObject(done(5));
    expect(await (await here.call(counter, [], { method: methods.get })).end).toMatchObject(done(5));
    await expect.poll(() => linesOf(counter, undefined)).toEqual(["set up", "cleaned up 5"]);
    expect(await (await add(1)).end).toMatchObject(done(1));
  });

  test("has set-up methods that are marked, asynchronous ones too", async () => {
    const marked = here.python("Marked", { methods: ["get"] });
    expect(await (await here.call(marked, [], { method: "get" })).end).toMatchObject(done("prepared"));
  });

  test("whose set-up throws ends its calls with that", async () => {
    const bad = here.python("BadSetUp", { methods: ["get"] });
    const { end } = await here.call(bad, [], { method: "get" });
    expect(await end).toMatchObject(failed("FUNCTION_BROKEN", { exception: { type: "KeyError", message: "'nothing there'" } }));
  });

  test.each(["python", "typescript"] as const)("in %s whose clean-up throws shows where, in the user's words", async (language) => {
    const untidy = here[language]("Untidy", { methods: ["get"], idleSeconds: 0.1, app: `app-untidy-${language}` });
    expect(await (await here.call(untidy, [], { method: "get" })).end).toMatchObject(done(1));
    await expect.poll(async () => (await linesOf(untidy, undefined)).join("\n")).toMatch(/^The clean-up failed: [^]*no broom/);
    expect((await linesOf(untidy, undefined)).join("\n")).not.toContain("/lamina/");
  });

  test("in TypeScript is set up and cleaned up likewise", async () => {
    const counter = here.typescript("Counter", { methods: ["add"], maxContainers: 1, idleSeconds: 0.5, app: "app-of-the-class" });
    const add = (number: number) => here.call(counter, [number], { method: "add" });
    expect(await (await add(2)).end).toMatchObject(done(2));
    expect(await (await add(3)).end).toMatchObject(done(5));
    await expect.poll(() => linesOf(counter, undefined)).toEqual(["set up", "cleaned up 5"]);
  });
});

describe("containers of a function", () => {
  test("are as many as its calls need, up to its most", async () => {
    const container = here.python("container", { maxContainers: 2 });
    const calls = await Promise.all(Array.from({ length: 12 }, () => here.call(container)));
    const names = new Set((await Promise.all(calls.map(({ end }) => end))).map((end) => JSON.stringify(end)));
    expect(names.size).toBeLessThanOrEqual(2);
  });

  test("are used again, and do not see what another wrote", async () => {
    const count = here.python("write_and_count", { maxContainers: 1 });
    expect(await (await here.call(count)).end).toMatchObject(done(1));
    expect(await (await here.call(count)).end).toMatchObject(done(2));
    const other = here.python("write_and_count", { maxContainers: 1 });
    expect(await (await here.call(other)).end).toMatchObject(done(1));
  });

  test("are kept as many as it wants, before there is a call", async () => {
    const warm = here.python("Counter", { methods: ["add"], minContainers: 1, idleSeconds: 0, app: "app-of-the-warm" });
    await expect.poll(() => linesOf(warm, undefined)).toEqual(["set up"]);
    expect(await (await here.call(warm, [1], { method: "add" })).end).toMatchObject(done(1));
    expect(await (await here.call(warm, [1], { method: "add" })).end).toMatchObject(done(2));
  });

  test("of a version that was replaced finish what there is and go, and those of one that is gone go at once", async () => {
    const old = here.python("Counter", { methods: ["add"], minContainers: 1, app: "app-of-the-old" });
    await expect.poll(() => linesOf(old, undefined)).toEqual(["set up"]);
    const call = await here.call(old, [4], { method: "add" });
    here.change(old.id, { ...old, state: "draining" });
    expect(await call.end).toMatchObject(done(4));
    await expect.poll(() => linesOf(old, undefined)).toEqual(["set up", "cleaned up 4"]);
    const gone = here.python("Counter", { methods: ["add"], minContainers: 1, app: "app-of-the-gone" });
    await expect.poll(() => linesOf(gone, undefined)).toEqual(["set up"]);
    here.change(gone.id, undefined);
    await expect.poll(() => linesOf(gone, undefined)).toEqual(["set up", "cleaned up 0"]);
  });
});
