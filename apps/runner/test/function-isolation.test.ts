import { randomUUID } from "node:crypto";
import { mkdtemp, mkdtempDisposable, rm, writeFile } from "node:fs/promises";
import { networkInterfaces, tmpdir } from "node:os";
import { once } from "node:events";
import { connect } from "node:net";
import path from "node:path";
import type { ServedFunction } from "@lamina/api";
import { servers } from "@lamina/testkit";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { baseLocation, done, failed, type FunctionWorld, functionWorld, locationOf } from "./support/function-world.ts";
import { imageWith } from "./support/images.ts";
import { startRunner, type TestCall } from "./support/world.ts";

const FILES = {
  "main.py": `
import os, socket, subprocess, threading, time

def environment():
    return dict(os.environ)

def read(path):
    try:
        return open(path).read()
    except OSError as error:
        return type(error).__name__

def found_by(path, text):
    found = [f"the path {way}" for way in paths_to(path) if text in read(way)]
    return found + [command for command in commands_for(path) if text in shell(command)[1]]

def paths_to(path):
    yield path
    here = ["/proc/self/root", "/proc/1/root", "/proc/1/cwd", "/proc/thread-self/root", "/lamina/run", "/lamina/code", "/lamina/harness"]
    open_files = [f"/proc/{name}/fd/{number}" for name in processes() for number in os.listdir(f"/proc/{name}/fd")]
    for place in here + open_files:
        for up in range(12):
            yield place + "/.." * up + path

def commands_for(path):
    yield f"chroot /proc/1/root cat {path}"
    yield f"nsenter --target 1 --mount cat {path}"
    yield f"unshare --mount cat {path}"
    yield f"touch /bound && mount --bind {path} /bound && cat /bound"
    yield f"ln -s {path} /run/linked && cat /run/linked"
    yield f"ln {path} /run/the-same && cat /run/the-same"
    yield f"find / -path /proc -prune -o -path /sys -prune -o -name {os.path.basename(path)} -exec cat {{}} +"

def write(path):
    try:
        with open(path, "a") as file: file.write("x")
        return "written"
    except OSError as error:
        return os.strerror(error.errno)

def connect(host, port):
    try:
        socket.create_connection((host, port), timeout=3).close()
        return "connected"
    except OSError as error:
        return type(error).__name__

def resolve(host):
    return bool(socket.getaddrinfo(host, 443))

def identity():
    status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
    return [os.getuid(), os.getgid(), status["CapEff"], status["CapBnd"], status["NoNewPrivs"], status["Seccomp"]]

def shell(command):
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    return [done.returncode, done.stdout]

def processes():
    return sorted(name for name in os.listdir("/proc") if name.isdigit())

def interfaces():
    return sorted(name for _, name in socket.if_nameindex())

def hold(seconds):
    devices = sorted(name for name in os.listdir("/dev") if name.startswith("lamina-test-gpu"))
    print(devices, flush=True)
    time.sleep(seconds)
    return [devices, os.environ.get("LAMINA_TEST_GPU")]

def start_many(most):
    end = threading.Event()
    started = 0
    threading.stack_size(64 * 1024)
    try:
        while started < most:
            threading.Thread(target=end.wait, daemon=True).start()
            started += 1
    except RuntimeError:
        pass
    end.set()
    return started < most
`,
};

let here: FunctionWorld;
let runner: AsyncDisposable;
let cdi: string;
beforeAll(async () => {
  cdi = await mkdtemp(path.join(tmpdir(), "lamina-runner-cdi-"));
  const device = (name: string) => ({
    name,
    containerEdits: { env: ["LAMINA_TEST_GPU=1"], deviceNodes: [{ path: `/dev/lamina-test-gpu-${name}`, hostPath: "/dev/null" }] },
  });
  const specification = { cdiVersion: "0.6.0", kind: "nvidia.com/gpu", devices: ["0", "1"].map(device) };
  await writeFile(path.join(cdi, "test.json"), JSON.stringify(specification));
  here = await functionWorld(FILES, { environment: { LAMINA_GPUS: "0,1", LAMINA_CDI: cdi } });
  runner = startRunner(here);
});
afterAll(async () => {
  await runner[Symbol.asyncDispose]();
  await here[Symbol.asyncDispose]();
  await rm(cdi, { recursive: true, force: true });
});

/** What a machine is to the networks that slirp4netns makes. */
const TO_THE_MACHINE = "10.0.2.2";

async function canConnect(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  const connected = await once(socket, "connect").then(
    () => true,
    () => false,
  );
  socket.destroy();
  return connected;
}

async function endOf(served: ServedFunction, ...args: readonly unknown[]) {
  return (await here.call(served, args)).end;
}

async function resultOf(served: ServedFunction, ...args: readonly unknown[]): Promise<unknown> {
  const end = await endOf(served, ...args);
  if (end.state !== "done" || !("data" in end.result)) throw new Error(JSON.stringify(end));
  return JSON.parse(end.result.data);
}

describe("a function sees its own secrets", () => {
  test("in its environment, beside the image's, and not those of another, nor anything of the runner's", async () => {
    const [one, other] = [here.python("environment"), here.python("environment")];
    here.functions.secrets.set(one.id, { TOKEN: "one's own" });
    here.functions.secrets.set(other.id, { OTHER: "another's" });
    expect(await resultOf(one)).toMatchObject({ TOKEN: "one's own", LANG: "C.UTF-8" });
    const seen = await resultOf(other);
    expect(seen).toMatchObject({ OTHER: "another's" });
    expect(seen).not.toHaveProperty("TOKEN");
    expect(JSON.stringify(seen)).not.toMatch(/LAMINA_(TOKEN|NATS|REGISTRY)/);
  });

  test("which are in no file of the runner's state", async () => {
    const secret = "a value that is to be nowhere";
    const served = here.python("environment");
    here.functions.secrets.set(served.id, { SECRET: secret });
    expect(await resultOf(served)).toMatchObject({ SECRET: secret });
    const { stdout } = await execa("grep", ["-rlD", "skip", secret, here.environment["LAMINA_STATE"] ?? ""], { reject: false });
    expect(stdout).toBe("");
  });
});

describe("a function cannot get out", () => {
  test.each([
    ["that the runner keeps", () => here.environment["LAMINA_STATE"] ?? ""],
    ["that others keep", tmpdir],
  ])("to files of the machine %s", async (_, place) => {
    const text = randomUUID();
    await using directory = await mkdtempDisposable(path.join(place(), "lamina-kept-"));
    const file = path.join(directory.path, "kept-here");
    await writeFile(file, text);
    expect(await resultOf(here.python("found_by"), file, text)).toEqual([]);
  });

  test("to those, which are looked for in ways that find a file of the container", async () => {
    const own = await resultOf(here.python("found_by"), "/lamina/code/main.py", "def found_by");
    expect(own).toEqual(expect.arrayContaining(["the path /lamina/code/main.py", "the path /proc/1/root/lamina/code/main.py"]));
    expect(own).toEqual(expect.arrayContaining([expect.stringMatching(/^ln -s /), expect.stringMatching(/^find /)]));
  });

  test("to the environment of the runner", async () => {
    expect(await resultOf(here.python("read"), "/proc/1/environ")).not.toContain("LAMINA_TOKEN");
  });

  test("to its image, its code, or the harness of others", async () => {
    const write = here.python("write");
    expect(await resultOf(write, "/usr/mine")).toBe("written");
    for (const path of [
      "/lamina/code/main.py",
      "/lamina/harness/python.py",
      "/lamina/run/mine",
      "/etc/resolv.conf",
      "/proc/sys/kernel/hostname",
    ]) {
      expect([path, await resultOf(write, path)]).toEqual([path, expect.stringMatching(/^(Read-only file system|Permission denied)$/)]);
    }
    expect(await resultOf(here.python("read"), "/usr/mine")).toBe("FileNotFoundError");
  });

  test("to the platform's own servers, nor to the machine's loopback", async () => {
    const { nats, postgres, registry } = await servers();
    const connectInside = here.python("connect");
    const urls = [nats.url, postgres.url, `http://${registry.host}`, here.environment["LAMINA_URL"] ?? ""];
    const addresses = Object.values(networkInterfaces()).flatMap((found = []) => found.filter(({ internal }) => !internal));
    const others = [TO_THE_MACHINE, ...addresses.map(({ address }) => address)];
    for (const url of urls) {
      const { hostname, port } = new URL(url);
      expect([url, await canConnect(hostname, Number(port))]).toEqual([url, true]);
      expect([url, await resultOf(connectInside, "127.0.0.1", Number(port))]).toEqual([url, "ConnectionRefusedError"]);
      for (const address of others) expect([address, url, await resultOf(connectInside, address, Number(port))]).not.toContain("connected");
    }
  });

  test("to processes, networks or mounts of others", async () => {
    expect(await resultOf(here.python("processes"))).toHaveLength(2);
    expect(await resultOf(here.python("interfaces"))).toEqual(["lo", "tap0"]);
    const shell = here.python("shell");
    for (const command of [
      "mount -t tmpfs none /mnt",
      "unshare --user true",
      "mknod /dev/mine b 254 0",
      "chroot / true",
      "hostname mine",
    ]) {
      expect([command, await resultOf(shell, command)]).not.toEqual([command, [0, ""]]);
    }
  });

  test("by capabilities: few for root, none for others", async () => {
    const few = "00000000000005fb";
    expect(await resultOf(here.python("identity"))).toEqual([0, 0, few, few, "1", "2"]);
    const image = locationOf(await imageWith({ User: "www-data" }));
    expect(await resultOf(here.python("identity", { image }))).toEqual([33, 33, "0000000000000000", few, "1", "2"]);
  });

  // Control groups are root's.
  test.skipIf(process.getuid?.() !== 0)("by starting processes and threads without end", async () => {
    expect(await resultOf(here.python("start_many", { memoryMib: 1_024 }), 5_000)).toBe(true);
  });
});

test("a function reaches the outside, by name", async () => {
  const { stdout } = await execa("getent", ["hosts", "pypi.org"], { reject: false });
  expect(await endOf(here.python("resolve"), "pypi.org")).toMatchObject(stdout === "" ? failed("CALL_FAILED") : done(true));
});

describe("GPUs", () => {
  const gpu = (more: Partial<ServedFunction> = {}) => here.python("hold", { gpus: 1, gpu: ["T4"], ...more });

  /** What a call that holds its GPUs for good has, once it runs. */
  async function heldBy(served: ServedFunction, { id }: TestCall): Promise<string[]> {
    await expect.poll(() => here.lines(served, id)).not.toEqual([]);
    return (await here.lines(served, id)).flatMap(({ lines }) => lines);
  }

  test("belong to one container at a time: others wait until it ends", async () => {
    const hold = gpu({ maxContainers: 4, idleSeconds: 0, timeoutSeconds: 600 });
    const [one, other] = [await here.call(hold, [600]), await here.call(hold, [600])];
    const [ofOne = "", ofOther = ""] = (await Promise.all([heldBy(hold, one), heldBy(hold, other)])).flat();
    expect([ofOne, ofOther].toSorted()).toEqual(["['lamina-test-gpu-0']", "['lamina-test-gpu-1']"]);
    const next = await here.call(hold, [600]);
    await here.cancelCalls(one.id);
    expect(await heldBy(hold, next)).toEqual([ofOne]);
    await here.cancelCalls(other.id, next.id);
  });

  test("of a container that has nothing to do go to a function that waits for one", async () => {
    const [one, other, both] = [gpu(), gpu(), gpu({ gpus: 2 })];
    await Promise.all([resultOf(one, 0), resultOf(other, 0)]);
    expect(await resultOf(both, 0)).toEqual([["lamina-test-gpu-0", "lamina-test-gpu-1"], "1"]);
    expect(await resultOf(one, 0)).toMatchObject([{ length: 1 }, "1"]);
  });

  test("that this runner does not have are said to be missing", async () => {
    const message = expect.stringContaining("it takes 3 GPUs, of which this runner has 2");
    expect(await endOf(gpu({ gpus: 3 }), 0)).toMatchObject(failed("FUNCTION_BROKEN", { message }));
  });

  test("are not seen by a function that asks for none", async () => {
    expect(await resultOf(here.python("hold", { image: await baseLocation() }), 0)).toEqual([[], null]);
  });
});
