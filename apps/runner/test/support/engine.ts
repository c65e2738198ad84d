/** An engine of the test's own on the containerd of the test run. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { freshNamespace, servers } from "@lamina/testkit";
import { containerdEngine } from "../../src/engine/containerd.ts";
import { createCtr, type Ctr } from "../../src/engine/ctr.ts";
import type { Engine, OutputStream } from "../../src/engine/engine.ts";
import { writeRegistryHosts } from "../../src/engine/registry-hosts.ts";

export interface TestEngine extends AsyncDisposable {
  readonly engine: Engine;
  readonly ctr: Ctr;
  readonly owner: string;
  /** The ids of the owner's containers. */
  containers(): Promise<string[]>;
}

export async function testEngine(options: { owner?: string; password?: string } = {}): Promise<TestEngine> {
  const { containerd, registry } = await servers();
  const directory = await mkdtemp(path.join(tmpdir(), "lamina-runner-test-"));
  const hosts = path.join(directory, "registries");
  const credentials = { username: registry.user, password: options.password ?? registry.password };
  await writeRegistryHosts(hosts, { host: registry.host, insecure: true, credentials });
  const owner = options.owner ?? `${freshNamespace()}/runner`;
  const connection = { program: path.join(containerd.tools, "ctr"), address: containerd.address, environment: {} };
  const ctr = createCtr(connection);
  const left: string[] = [];
  const engine = containerdEngine({
    ...connection,
    hosts,
    pipes: path.join(directory, "pipes"),
    owner,
    onLeftover: (message) => left.push(message),
  });
  return {
    engine,
    ctr,
    owner,
    async containers() {
      const { stdout } = await ctr(["containers", "list", "--quiet", `labels."lamina.runner"==${JSON.stringify(owner)}`]);
      return stdout.split("\n").filter((line) => line !== "");
    },
    async [Symbol.asyncDispose]() {
      await engine.removeLeftovers();
      await rm(directory, { recursive: true, force: true });
      if (left.length > 0) throw new Error(left.join("\n"));
    },
  };
}

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** Collects output; `said` resolves when stdout contains the text. */
export function collector() {
  const bytes: Record<OutputStream, Buffer[]> = { stdout: [], stderr: [] };
  const text = (stream: OutputStream) => Buffer.concat(bytes[stream]).toString("latin1");
  const waiting: { text: string; resolve: () => void }[] = [];
  return {
    onOutput: async (stream: OutputStream, chunk: Buffer): Promise<void> => {
      bytes[stream].push(chunk);
      for (const { text: wanted, resolve } of waiting) if (text("stdout").includes(wanted)) resolve();
    },
    said: (wanted: string) => new Promise<void>((resolve) => waiting.push({ text: wanted, resolve })),
    output: (): Output => ({ stdout: text("stdout"), stderr: text("stderr") }),
  };
}
