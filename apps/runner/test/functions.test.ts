import { JSON_VALUE, PICKLE_VALUE, type ServedFunction } from "@lamina/api";
import { base } from "@lamina/testkit";
import { Objm } from "@nats-io/obj";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { done, failed, type FunctionWorld, functionWorld, locationOf } from "./support/function-world.ts";
import { startRunner } from "./support/world.ts";

/** The first use of a base may make it. */
const MINUTES = 60_000;

const FILES = {
  "main.py": `
import asyncio, datetime, os, subprocess, sys
import helpers
print("imported")
print("to stderr as well", file=sys.stderr)

def add(a, b):
    print("adding", a, b)
    print("to stderr", file=sys.stderr)
    return a + b

async def add_later(a, b):
    return add(a, b)

async def later(a):
    await asyncio.sleep(0)
    return [a, {"nested": a}]

def keywords(*args, **kwargs):
    return [list(args), kwargs]

def talk(n):
    subprocess.run(["echo", "from a child"], check=True)
    print("no end of line", end="", flush=True)
    os.write(1, b" raw\\n")
    print("last", end="")

def mixed():
    return {"bytes": b"\\x00\\xff", "big": 2**70, "nan": float("nan"), "at": datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)}

def zeros(text):
    print(text, end="", flush=True)

def big(n):
    return "x" * n

def length(text):
    return len(text)

def count(most):
    for number in range(most): print(number)

async def count_later(most):
    count(most)

def reconfigure():
    sys.stdout.reconfigure(line_buffering=True)
    print("set anew")
    return [sys.stdout.line_buffering, sys.stdout.name, sys.stdout.encoding]

def generate():
    yield 1

def a_set():
    return {"deep": [1, {2, 3}]}

def raise_it():
    try:
        helpers.fail("inner")
    except ValueError as error:
        raise helpers.OwnError("outer", 7) from error

def leave():
    sys.exit(3)

class Wrapped:
    def __init__(self, handler):
        self.__lamina_handler__ = handler

@Wrapped
def decorated(a):
    return a * 2
`,
  "helpers.py": `
class OwnError(Exception):
    def __init__(self, message, number):
        super().__init__(message, number)

def fail(what):
    raise ValueError(what)
`,
  "main.mjs": `
const handlers = (globalThis[Symbol.for("lamina.handlers")] ??= new Map());
handlers.set("add", (a, b) => { console.log("adding", a, b); console.error("to stderr"); return a + b; });
handlers.set("later", async (a) => { await null; return [a, { nested: a }]; });
handlers.set("values", (value) => ({ value, isDate: value.at instanceof Date, big: 2n ** 70n, none: undefined }));
handlers.set("map", () => ({ deep: [new Map()] }));
handlers.set("generate", function* () { yield 1; });
function fail() { throw new TypeError("inner"); }
handlers.set("throwIt", () => { try { fail(); } catch (cause) { throw new RangeError("outer", { cause }); } });
handlers.set("zeros", (text) => { process.stdout.write(text); });
handlers.set("silence", () => { process.stdout.write = () => true; return 1; });
handlers.set("close", () => { console.log("last"); process.stdout.end(); return 1; });
handlers.set("length", (text) => text.length);
handlers.set("crash", () => { process.exit(9); });
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

async function endOf(served: ServedFunction, ...args: readonly unknown[]) {
  return (await here.call(served, args)).end;
}

async function textOf(served: ServedFunction, call: string) {
  const text = { stdout: new Array<string>(), stderr: new Array<string>() };
  for (const { stream, lines } of await here.lines(served, call)) text[stream].push(...lines);
  return text;
}

test.each(["python", "typescript"] as const)("what %s writes may hold any NUL, also at its end", async (language) => {
  const zeros = here[language]("zeros");
  for (const [text, lines] of [
    ["a\0b\0", ["a\0b\0"]],
    ["\0\n\0", ["\0", "\0"]],
    ["x".repeat(100_000) + "\0", ["x".repeat(100_000) + "\0"]],
  ] as const) {
    const { id, end } = await here.call(zeros, [text]);
    expect(await end).toMatchObject(done(null));
    // A line that is very long comes in pieces.
    expect((await textOf(zeros, id)).stdout.join(text.length > 1_000 ? "" : "\n")).toEqual(lines.join("\n"));
  }
});

describe("a Python function", () => {
  test("gives its result, and its lines are there before", async () => {
    const add = here.python("add");
    const { id, end } = await here.call(add, [1, 2]);
    expect(await end).toMatchObject(done(3));
    expect(await textOf(add, id)).toEqual({ stdout: ["adding 1 2"], stderr: ["to stderr"] });
  });

  test("that is asynchronous gives its result", async () => {
    expect(await endOf(here.python("later"), "x")).toMatchObject(done(["x", { nested: "x" }]));
  });

  test("that the SDK has wrapped is called as it was written", async () => {
    expect(await endOf(here.python("decorated"), 21)).toMatchObject(done(42));
  });

  test("gets arguments by position and by name", async () => {
    const input = { type: JSON_VALUE, data: `{"args":[1],"kwargs":{"b":{"$lamina":"bytes","value":"aGk="}}}` } as const;
    const { end } = await here.call(here.python("keywords"), [], { input });
    expect(await end).toMatchObject(done([[1], { b: { $lamina: "bytes", value: "aGk=" } }]));
  });

  test("is called with a pickle and answers with one", async () => {
    // pickle.dumps({"args": [1, 2], "kwargs": {}}, 0)
    const pickled = Buffer.from("(dVargs\n(lI1\naI2\nasVkwargs\n(ds.");
    const { end } = await here.call(here.python("add"), [], { input: { type: PICKLE_VALUE, data: pickled.toString("base64") } });
    // pickle.dumps(3, 4)
    expect(await end).toMatchObject({
      state: "done",
      result: { type: PICKLE_VALUE, data: Buffer.from("\x80\x04K\x03.", "latin1").toString("base64") },
    });
  });

  test("gives what JSON has no notation for", async () => {
    expect(await endOf(here.python("mixed"))).toMatchObject(
      done({
        bytes: { $lamina: "bytes", value: "AP8=" },
        big: { $lamina: "bigint", value: String(2n ** 70n) },
        nan: { $lamina: "number", value: "NaN" },
        at: { $lamina: "date", value: "2026-03-01T00:00:00+00:00" },
      }),
    );
  });

  test("has its children's output, and lines without an end, as its own", async () => {
    const talk = here.python("talk");
    const first = await here.call(talk, [1]);
    await first.end;
    const second = await here.call(talk, [2]);
    await second.end;
    const expected = { stdout: ["from a child", "no end of line raw", "last"], stderr: [] };
    expect([await textOf(talk, first.id), await textOf(talk, second.id)]).toEqual([expected, expected]);
  });

  test.each([
    ["one at a time", () => here.python("count", { app: "app-of-many" })],
    ["with several calls at once", () => here.python("count_later", { app: "app-of-many", concurrency: 2 })],
  ])("that prints very much has all of it in the logs, in order: %s", async (_, serve) => {
    const count = serve();
    const { id, end } = await here.call(count, [60_000]);
    expect(await end).toMatchObject(done(null));
    expect((await textOf(count, id)).stdout).toEqual(Array.from({ length: 60_000 }, (_, number) => String(number)));
  });

  test.each([1, 2])("may set its output anew, at %i calls at once", async (concurrency) => {
    const reconfigure = here.python("reconfigure", { app: "app-of-output", concurrency });
    const { id, end } = await here.call(reconfigure, []);
    expect(await end).toMatchObject(done([true, "<stdout>", "utf-8"]));
    expect((await textOf(reconfigure, id)).stdout).toEqual(["set anew"]);
  });

  test.each([
    ["one at a time", "add", 1],
    ["several at once, in threads", "add", 2],
    ["several at once, in an event loop", "add_later", 2],
  ])("runs in Python 3.9 too: %s", { timeout: 5 * MINUTES }, async (_, name, concurrency) => {
    const inOld = here.python(name, { app: "app-of-old", image: locationOf(await base("3.9")), concurrency });
    const [sum, wrong] = [await here.call(inOld, [1, 2]), await here.call(inOld, [1, "a"])];
    expect(await sum.end).toMatchObject(done(3));
    expect(await wrong.end).toMatchObject(failed("CALL_FAILED", { exception: { type: "TypeError" } }));
    expect((await textOf(inOld, sum.id)).stdout).toEqual(["adding 1 2"]);
  });

  test("gives and gets what is too large for a message", async () => {
    const end = await endOf(here.python("big"), 300_000);
    if (end.state !== "done" || !("object" in end.result)) throw new Error("it is not in the object store");
    const store = await new Objm(here.connection).open(here.names.values);
    expect((await store.info(end.result.object))?.metadata).toEqual({ workspace: "default" });
    expect(Buffer.from((await store.getBlob(end.result.object)) ?? "").toString()).toBe(JSON.stringify("x".repeat(300_000)));
    await store.putBlob(
      { name: "00000000-0000-4000-8000-000000000000" },
      Buffer.from(JSON.stringify({ args: ["y".repeat(200_000)], kwargs: {} })),
    );
    const input = { type: JSON_VALUE, object: "00000000-0000-4000-8000-000000000000", bytes: 200_026 } as const;
    expect(await (await here.call(here.python("length"), [], { input })).end).toMatchObject(done(200_000));
  });

  test("whose input is not kept any more says so", async () => {
    const input = { type: JSON_VALUE, object: "00000000-0000-4000-8000-00000000dead", bytes: 1 } as const;
    const { end } = await here.call(here.python("length"), [], { input });
    expect(await end).toMatchObject(failed("VALUE_UNREADABLE", { message: expect.stringContaining("not kept any more") }));
  });

  test("that gives what cannot be written is told where it is", async () => {
    const message = "The result cannot be written: the result.deep[1] is of the type set, which JSON has no notation for";
    expect(await endOf(here.python("a_set"))).toMatchObject(failed("VALUE_UNREADABLE", { message }));
  });

  test("that is a generator is told to give a list", async () => {
    expect(await endOf(here.python("generate"))).toMatchObject(
      failed("VALUE_UNREADABLE", { message: expect.stringContaining("generator") }),
    );
  });

  test("throws with its type, its stack in the code, and its causes", async () => {
    const end = await endOf(here.python("raise_it"));
    expect(end).toMatchObject(failed("CALL_FAILED", { exception: { type: "helpers.OwnError", message: "('outer', 7)" } }));
    if (end.state !== "failed") throw new Error("it failed");
    const { stack } = end.error.exception ?? { stack: "" };
    expect(stack).toMatch(/File "main.py", line \d+, in raise_it\n    helpers.fail\("inner"\)/);
    expect(stack).toMatch(/File "helpers.py", line \d+, in fail\n[^]*ValueError: inner\n\nThe above exception was the direct cause/);
    expect(stack).not.toContain("/lamina/");
  });

  test("throws the exception itself, pickled, to who calls with a pickle", async () => {
    const pickled = Buffer.from("(dVargs\n(lsVkwargs\n(ds.").toString("base64");
    const { end } = await here.call(here.python("raise_it"), [], { input: { type: PICKLE_VALUE, data: pickled } });
    const ended = await end;
    if (ended.state !== "failed") throw new Error("it failed");
    const { pickled: value } = ended.error.exception ?? {};
    if (value === undefined || !("data" in value)) throw new Error("it is in the message");
    expect(Buffer.from(value.data, "base64").toString("latin1")).toContain("OwnError");
  });

  test("that leaves the process by an exception has failed, and is there for the next call", async () => {
    const leave = here.python("leave");
    expect(await endOf(leave)).toMatchObject(failed("CALL_FAILED", { exception: { type: "SystemExit", message: "3" } }));
    expect(await endOf(leave)).toMatchObject(failed("CALL_FAILED"));
  });
});

describe("a TypeScript function", () => {
  test("ends whatever it does with its streams", async () => {
    expect(await endOf(here.typescript("silence"))).toMatchObject(done(1));
    const close = here.typescript("close");
    const { id, end } = await here.call(close, []);
    expect(await end).toMatchObject(done(1));
    expect((await textOf(close, id)).stdout).toEqual(["last"]);
    expect(await endOf(close)).toMatchObject(done(1));
  });

  test("takes what is very large", async () => {
    const name = "00000000-0000-4000-8000-000000000001";
    const store = await new Objm(here.connection).open(here.names.values);
    const data = Buffer.from(JSON.stringify({ args: ["y".repeat(100_000_000)], kwargs: {} }));
    await store.putBlob({ name }, data);
    const { end } = await here.call(here.typescript("length", { memoryMib: 2_048 }), [], {
      input: { type: JSON_VALUE, object: name, bytes: data.length },
    });
    expect(await end).toMatchObject(done(100_000_000));
  });

  test("gives its result, and its lines are there before", async () => {
    const add = here.typescript("add");
    const { id, end } = await here.call(add, [1, 2]);
    expect(await end).toMatchObject(done(3));
    expect(await textOf(add, id)).toEqual({ stdout: ["adding 1 2"], stderr: ["to stderr"] });
  });

  test("that is asynchronous gives its result", async () => {
    expect(await endOf(here.typescript("later"), "x")).toMatchObject(done(["x", { nested: "x" }]));
  });

  test("gets and gives what JSON has no notation for", async () => {
    const value = { at: { $lamina: "date", value: "2026-03-01T00:00:00.000Z" } };
    expect(await endOf(here.typescript("values"), value)).toMatchObject(
      done({ value, isDate: true, big: { $lamina: "bigint", value: String(2n ** 70n) } }),
    );
  });

  test("that gives what cannot be written is told where it is", async () => {
    const message = "The result cannot be written: the result.deep[0] is of the type Map, which JSON has no notation for";
    expect(await endOf(here.typescript("map"))).toMatchObject(failed("VALUE_UNREADABLE", { message }));
    expect(await endOf(here.typescript("generate"))).toMatchObject(
      failed("VALUE_UNREADABLE", { message: expect.stringContaining("generator") }),
    );
  });

  test("throws with its type, its stack in the code, and its causes", async () => {
    const end = await endOf(here.typescript("throwIt"));
    expect(end).toMatchObject(failed("CALL_FAILED", { exception: { type: "RangeError", message: "outer" } }));
    if (end.state !== "failed") throw new Error("it failed");
    const { stack } = end.error.exception ?? { stack: "" };
    expect(stack).toMatch(/^RangeError: outer\n    at .*main.mjs:\d+:\d+[^]*Caused by: TypeError: inner\n    at fail \(main.mjs/);
    expect(stack).not.toContain("/lamina/");
  });

  test("that ends its process has crashed with its exit code", async () => {
    expect(await endOf(here.typescript("crash"))).toMatchObject(
      failed("CALL_CRASHED", { message: "The process of the function ended in the middle of the call: exit code 9." }),
    );
  });
});
