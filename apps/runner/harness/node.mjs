/** Calls a TypeScript function for the runner. PROTOCOL.md says how the two talk. */
import { AsyncLocalStorage } from "node:async_hooks";
import { closeSync, openSync, writeSync } from "node:fs";
import { connect } from "node:net";

const CODE = "/lamina/code";
const RUN = "/lamina/run";
const JSON_VALUE = "application/vnd.lamina.value+json";
/** Bytes that the runner takes as one value. */
const LARGEST_VALUE = 2 ** 30;

/** A value that cannot be read or written. */
class Unreadable extends Error {}

// Values in JSON; the notation is that of packages/api/src/values.ts.

export function readJson(text) {
  return read(JSON.parse(text));
}

function read(value) {
  if (Array.isArray(value)) return value.map(read);
  if (typeof value !== "object" || value === null) return value;
  if (!Object.hasOwn(value, "$lamina")) return readEntries(value);
  const { $lamina: tag, value: content } = value;
  if (Object.keys(value).length === 2) {
    if (tag === "object" && typeof content === "object" && content !== null) return readEntries(content);
    if (typeof content === "string") {
      if (tag === "bytes") return new Uint8Array(Buffer.from(content, "base64"));
      if (tag === "date") return new Date(content);
      if (tag === "bigint") return BigInt(content);
      if (tag === "number" && ["NaN", "Infinity", "-Infinity", "-0"].includes(content)) return Number(content);
    }
  }
  throw new Unreadable(`it has a tag that is not known here: ${JSON.stringify(value).slice(0, 100)}`);
}

/** Not by assignment, which `__proto__` would mean something to. */
function readEntries(object) {
  return Object.fromEntries(Object.entries(object).map(([key, item]) => [key, read(item)]));
}

export function writeJson(value, what = "the result") {
  try {
    return JSON.stringify(write(value, what) ?? null);
  } catch (error) {
    if (error instanceof RangeError) throw new Unreadable(`${what} holds itself, or is nested too deeply`);
    throw error;
  }
}

function write(value, path) {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return value;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0) ? value : tagged("number", Object.is(value, -0) ? "-0" : String(value));
    case "bigint":
      return tagged("bigint", String(value));
    case "object":
      return writeObject(value, path);
    default:
      throw new Unreadable(`${path} is a ${typeof value}, which JSON has no notation for`);
  }
}

function writeObject(value, path) {
  if (value === null) return null;
  if (Array.isArray(value)) return Array.from(value, (item, index) => write(item, `${path}[${index}]`) ?? null);
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new Unreadable(`${path} is an invalid Date`);
    return tagged("date", value.toISOString());
  }
  if (value instanceof Uint8Array) return tagged("bytes", Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64"));
  if (value instanceof ArrayBuffer) return tagged("bytes", Buffer.from(value).toString("base64"));
  if (isClassInstance(value)) {
    throw new Unreadable(`${path} is of the type ${value.constructor.name}, which JSON has no notation for`);
  }
  const written = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, write(item, pathOf(path, key))]));
  return Object.hasOwn(written, "$lamina") ? tagged("object", written) : written;
}

/** An object of another realm has another Object. */
function isClassInstance(value) {
  const prototype = Object.getPrototypeOf(value);
  return prototype !== null && prototype !== Object.prototype && prototype.constructor?.name !== "Object";
}

function pathOf(path, key) {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

function tagged(tag, value) {
  return { $lamina: tag, value };
}

function readInput({ valueType }, body) {
  if (valueType !== JSON_VALUE) throw new Unreadable(`The input is ${valueType}, which only Python reads.`);
  try {
    const { args = [], kwargs = {} } = readJson(body.toString());
    // What Python calls keyword arguments is one object here, the last.
    return Object.keys(kwargs).length === 0 ? args : [...args, kwargs];
  } catch (error) {
    throw new Unreadable(`The input cannot be read: ${error.message}`);
  }
}

function writeResult(result) {
  if (typeof result?.next === "function" && (result[Symbol.iterator] !== undefined || result[Symbol.asyncIterator] !== undefined)) {
    throw new Unreadable("The function returned a generator, of which nothing would arrive. Return an array of what it yields.");
  }
  let body;
  try {
    body = Buffer.from(writeJson(result));
  } catch (error) {
    throw new Unreadable(`The result cannot be written: ${error.message}`);
  }
  if (body.length > LARGEST_VALUE) throw new Unreadable(`The result has ${body.length} bytes, and may have ${LARGEST_VALUE}.`);
  return body;
}

// Exceptions.

function describe(thrown) {
  if (!(thrown instanceof Error)) return { type: typeof thrown, message: String(thrown), stack: `${String(thrown)}\n` };
  return { type: thrown.constructor?.name || thrown.name, message: thrown.message, stack: stackOf(thrown) };
}

function stackOf(error, seen = new Set()) {
  seen.add(error);
  const lines = String(error.stack ?? error).split("\n");
  const kept = lines.filter((line) => !/^\s+at .*(?:\/lamina\/harness\/|\(?node:)/.test(line));
  const stack = kept.map((line) => line.replace(/(?:file:\/\/)?\/lamina\/code\//g, "")).join("\n");
  const { cause } = error;
  return cause instanceof Error && !seen.has(cause) ? `${stack}\nCaused by: ${stackOf(cause, seen)}` : stack;
}

// The connection.

function receiveFrames(socket, onFrame) {
  let chunks = [];
  let length = 0;
  /** How many bytes there have to be before it is worth a look. */
  let wanted = 1;
  socket.on("data", (chunk) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length < wanted) return;
    let received = chunks.length === 1 ? chunk : Buffer.concat(chunks);
    wanted = 1;
    for (;;) {
      const end = received.indexOf(10);
      if (end === -1) break;
      const frame = JSON.parse(received.toString("utf8", 0, end));
      const bodyEnd = end + 1 + (frame.body ?? 0);
      if (received.length < bodyEnd) {
        wanted = bodyEnd;
        break;
      }
      onFrame(frame, received.subarray(end + 1, bodyEnd));
      received = received.subarray(bodyEnd);
    }
    chunks = received.length === 0 ? [] : [received];
    length = received.length;
  });
}

// The user's code.

async function load({ entry, methods }) {
  await import(`${CODE}/${entry.file}`);
  const found = globalThis[Symbol.for("lamina.handlers")]?.get(entry.name);
  if (found === undefined) throw new Error(`${entry.file} registers no function with the name ${entry.name}`);
  if (methods === undefined) return { call: (_, args) => found(...args), exit: () => undefined };
  const object = new found();
  await (object[Symbol.for("lamina.enter")] ?? object.enter)?.call(object);
  return { call: (method, args) => object[method](...args), exit: () => (object[Symbol.for("lamina.exit")] ?? object.exit)?.call(object) };
}

// Output.

/** Markers are behind all that was written in the call, and go past whatever the user's code does with the streams. */
function markedOutput() {
  const pipes = ["stdout", "stderr"].map((name) => {
    const stream = process[name];
    return { stream, write: stream.write, own: openSync(`${RUN}/${name}`, "w") };
  });
  const written = ({ stream, write }) =>
    new Promise((resolve) => {
      if (stream.writableLength === 0 || stream.destroyed) resolve();
      else if (stream.writableEnded) stream.once("close", resolve).once("finish", resolve);
      else write.call(stream, "", () => resolve());
    });
  return {
    run: (_, begin) => begin(),
    async endCall(call) {
      await Promise.all(pipes.map(written));
      // So little is written as one, or not at all.
      for (const { own } of pipes) writeSync(own, `\0${call}\n`);
    },
  };
}

/** Which call wrote a line is told where several go on at once. */
function routedOutput(send) {
  const current = new AsyncLocalStorage();
  const started = { stdout: new Map(), stderr: new Map() };
  for (const stream of ["stdout", "stderr"]) {
    const target = process[stream];
    const writeThrough = target.write.bind(target);
    target.write = (chunk, encoding, callback) => {
      const call = current.getStore();
      if (call === undefined) return writeThrough(chunk, encoding, callback);
      const text = typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
      const lines = ((started[stream].get(call) ?? "") + text).split("\n");
      started[stream].set(call, lines.pop());
      if (lines.length > 0) send({ type: "log", call, stream, lines });
      (typeof encoding === "function" ? encoding : callback)?.();
      return true;
    };
  }
  return {
    run: (call, begin) => current.run(call, begin),
    async endCall(call) {
      for (const stream of ["stdout", "stderr"]) {
        const rest = started[stream].get(call);
        started[stream].delete(call);
        if (rest) send({ type: "log", call, stream, lines: [rest] });
      }
    },
  };
}

async function serve() {
  // The lowest number that is free is taken, so they become what was closed.
  for (const [number, name] of [
    [1, "stdout"],
    [2, "stderr"],
  ]) {
    closeSync(number);
    if (openSync(`${RUN}/${name}`, "w") !== number) throw new Error(`${name} is not ${number}`);
  }
  process.setSourceMapsEnabled(true);
  const calls = connect(`${RUN}/socket`);
  const answers = connect(`${RUN}/socket`);
  const send = (frame, body) => {
    const head = Buffer.from(`${JSON.stringify(body === undefined ? frame : { ...frame, body: body.length })}\n`);
    answers.write(body === undefined ? head : Buffer.concat([head, body]));
  };
  let output;
  let target;
  let concurrency = 1;
  let stopping = false;
  const running = new Set();
  const waiting = [];

  const runCall = async (frame, body) => {
    const { call, method } = frame;
    let answer;
    try {
      const args = readInput(frame, body);
      let result;
      try {
        result = await target.call(method, args);
      } catch (thrown) {
        answer = [{ type: "error", call, exception: describe(thrown) }];
      }
      answer ??= [{ type: "result", call, valueType: JSON_VALUE }, writeResult(result)];
    } catch (error) {
      answer = [{ type: "unreadable", call, message: error.message }];
    }
    await output.endCall(call);
    send(...answer);
  };
  const begin = () => {
    while (waiting.length > 0 && running.size < concurrency) {
      const [frame, body] = waiting.shift();
      const one = output.run(frame.call, () => runCall(frame, body));
      running.add(one);
      void one.finally(() => {
        running.delete(one);
        begin();
      });
    }
    if (stopping && running.size === 0) void end();
  };
  const end = async () => {
    try {
      await target?.exit();
    } catch (thrown) {
      console.error(`The clean-up failed: ${describe(thrown).stack.trimEnd()}`);
    }
    process.exit(0);
  };
  const start = async (hello) => {
    ({ concurrency } = hello);
    output = concurrency === 1 ? markedOutput() : routedOutput(send);
    try {
      target = await load(hello);
    } catch (thrown) {
      send({ type: "broken", exception: describe(thrown) });
      return answers.end(() => process.exit(0));
    }
    if (concurrency === 1) await output.endCall("");
    send({ type: "ready" });
  };
  receiveFrames(calls, (frame, body) => {
    if (frame.type === "hello") void start(frame);
    if (frame.type === "call") waiting.push([frame, body]);
    if (frame.type === "stop") stopping = true;
    if (frame.type === "call" || frame.type === "stop") begin();
  });
  calls.on("close", () => process.exit(0));
}

if (import.meta.main) await serve();
