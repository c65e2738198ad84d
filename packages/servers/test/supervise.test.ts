import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { exists } from "../src/cache.ts";
import { endLeftovers } from "../src/owner.ts";
import { readServerRecords, writeServerRecord } from "../src/pid-file.ts";
import { identify } from "../src/process-identity.ts";
import { runningServers } from "../src/running.ts";
import { supervise, type ServerProcess, type Supervised } from "../src/supervise.ts";
import { eventually, processesNaming, temporaryDirectory } from "./support.ts";

const STOP = { signal: "SIGTERM", graceSeconds: 5, isolated: false } as const;

/** A server whose script gets its directory as `$1`, and is ready when it made the file `ready` there. */
function scripted(directory: string, script: string): ServerProcess {
  return {
    name: "scripted",
    command: ["sh", "-c", script, "sh", directory],
    directory,
    stop: STOP,
    isReady: () => exists(join(directory, "ready")),
    report: () => undefined,
  };
}

/** Stopped with its scope, if not before. */
async function started(server: ServerProcess): Promise<Supervised & AsyncDisposable> {
  const supervised = await supervise(server);
  return { ...supervised, [Symbol.asyncDispose]: () => supervised.stop() };
}

async function pidIn(directory: string): Promise<number | undefined> {
  return (await runningServers(directory))[0]?.pid;
}

test("a server that does not start says why, by the end of its log", async () => {
  await using directory = await temporaryDirectory();
  const starting = supervise(scripted(directory.path, "echo no such luck; exit 7"));
  await expect(starting).rejects.toThrow(/scripted did not start: exit status 7[^]*no such luck/);
  expect(await readServerRecords(directory.path)).toEqual(new Map());
});

test("a program that is not there is named", async () => {
  await using directory = await temporaryDirectory();
  const server = { ...scripted(directory.path, ""), command: ["/no/such/program"] };
  await expect(supervise(server)).rejects.toThrow("/no/such/program");
});

test("a server that dies is started again, and says so", async () => {
  await using directory = await temporaryDirectory();
  const lines: string[] = [];
  const server = { ...scripted(directory.path, 'touch "$1/ready"; exec sleep 600'), report: (line: string) => void lines.push(line) };
  await using supervised = await started(server);
  const first = await pidIn(directory.path);
  process.kill(first ?? 0, "SIGKILL");
  await eventually(async () => (lines.length === 2 ? lines : undefined));
  expect(lines).toEqual(["scripted ended (SIGKILL) and is started again", "scripted is back"]);
  expect(await pidIn(directory.path)).not.toBe(first);
  await supervised.stop();
  expect(await runningServers(directory.path)).toEqual([]);
});

test("a server that ignores its stop signal is killed", async () => {
  await using directory = await temporaryDirectory();
  const script = 'trap "" TERM; touch "$1/ready"; while :; do sleep 600; done';
  await using supervised = await started({ ...scripted(directory.path, script), stop: { ...STOP, graceSeconds: 0.1 } });
  await supervised.stop();
  expect(await runningServers(directory.path)).toEqual([]);
});

test("a server that is waiting to be started again can be stopped", async () => {
  await using directory = await temporaryDirectory();
  const script = 'if [ -e "$1/ready" ]; then exit 1; fi; touch "$1/ready"; exec sleep 600';
  let deaths = 0;
  await using supervised = await started({ ...scripted(directory.path, script), report: () => void deaths++ });
  process.kill((await pidIn(directory.path)) ?? 0, "SIGKILL");
  await eventually(async () => (deaths > 0 ? true : undefined));
  await supervised.stop();
  expect(await readServerRecords(directory.path)).toEqual(new Map());
});

test("a leftover is ended, a later process with its number is not", async () => {
  await using directory = await temporaryDirectory();
  const leftover = spawn("sleep", ["600"]);
  const stranger = spawn("sleep", ["600"]);
  const [leftoverIdentity, strangerIdentity] = await Promise.all([identify(leftover.pid ?? 0), identify(stranger.pid ?? 0)]);
  if (leftoverIdentity === undefined || strangerIdentity === undefined) throw new Error("sleep does not run");
  await writeServerRecord(directory.path, "leftover", { ...leftoverIdentity, stop: STOP });
  await writeServerRecord(directory.path, "recycled", { ...strangerIdentity, startedAt: "another-boot/1", stop: STOP });

  const [[, signal]] = await Promise.all([once(leftover, "exit"), endLeftovers(directory.path)]);

  expect(signal).toBe("SIGTERM");
  expect(await identify(stranger.pid ?? 0)).toEqual(strangerIdentity);
  expect(await readServerRecords(directory.path)).toEqual(new Map());
  stranger.kill("SIGKILL");
});

test("its output goes to a log that only the user reads, never to ours", async () => {
  await using directory = await temporaryDirectory();
  await using supervised = await started(scripted(directory.path, 'echo out; echo err >&2; touch "$1/ready"; exec sleep 600'));
  expect(await readFile(join(directory.path, "logs", "scripted.log"), "utf8")).toBe("out\nerr\n");
  await supervised.stop();
  expect(await processesNaming(directory.path)).toEqual([]);
});

test("it inherits names of a list, and nothing else of the shell that starts it", async () => {
  await using directory = await temporaryDirectory();
  process.env["AWS_SECRET_ACCESS_KEY"] = "of-a-shell";
  process.env["LC_MESSAGES"] = "C";
  const server = scripted(directory.path, 'env >"$1/environment"; touch "$1/ready"; exec sleep 600');
  await using _supervised = await started({ ...server, environment: { OWN: "1" } });
  const names = (await readFile(join(directory.path, "environment"), "utf8")).split("\n").map((line) => line.split("=")[0]);
  expect(names).toEqual(expect.arrayContaining(["PATH", "HOME", "LC_MESSAGES", "OWN"]));
  expect(names).not.toContain("AWS_SECRET_ACCESS_KEY");
});

test("a log that grows is emptied while the server goes on writing to it, and its content kept", async () => {
  await using directory = await temporaryDirectory();
  const log = join(directory.path, "logs", "scripted.log");
  const script = 'head -c 17000000 /dev/zero; touch "$1/ready"; until [ -e "$1/go" ]; do sleep 0.1; done; echo after; exec sleep 600';
  await using _supervised = await started(scripted(directory.path, script));
  await eventually(async () => ((await stat(log)).size === 0 ? true : undefined));
  expect((await stat(`${log}.old`)).size).toBe(17_000_000);
  await writeFile(join(directory.path, "go"), "");
  expect(await eventually(async () => (await readFile(log, "utf8")) || undefined)).toBe("after\n");
});
