/** Checks of the platform's own parts, each asked for real. */
import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import type { Config } from "../config.ts";
import { differenceOf } from "../platform/external.ts";
import { type PlatformRecord, readPlatform, readSupervisor } from "../platform/files.ts";
import { connect, type PlatformInfo, VERSION } from "lamina";
import { broken, type Finding, ok, warning } from "./check.ts";
import { poolText } from "../view/text.ts";
import { checkExternal } from "./external.ts";

const ANSWERS_WITHIN_MS = 10_000;

export async function checkPlatform(config: Config): Promise<Finding[]> {
  const { remote } = config;
  if (remote !== undefined) return [ok("platform", `${remote.url}, named by LAMINA_URL`), ...(await checkControlPlane(remote))];
  const platform = await readPlatform(config.home);
  const difference = platform && differenceOf(platform, config.external);
  const findings = await Promise.all([checkExternal(config, platform), platform === undefined ? whyDown(config) : checkRunning(platform)]);
  return [...(difference === undefined ? [] : [warning("environment", difference)]), ...findings.flat()];
}

async function whyDown({ home }: Config): Promise<Finding[]> {
  const record = await readSupervisor(home);
  if (record === undefined) return [ok("platform", "not up; `lamina up` starts it")];
  if (record.alive) return [ok("platform", record.state)];
  if (record.state === "failed") return [broken("platform", `did not start: ${record.problem ?? "no reason was given"}`)];
  return [
    broken("platform", `process ${record.pid}, which supervised it, is gone; \`lamina up\` starts it again and \`lamina down\` clears up`),
  ];
}

async function checkRunning(platform: PlatformRecord): Promise<Finding[]> {
  const { addresses, url } = platform;
  const tool = (name: string) => path.join(platform.binaries, name);
  const findings = await Promise.all([
    checkControlPlane(platform),
    answers({
      name: "buildkit",
      address: addresses["buildkit"],
      command: [tool("buildctl"), "--addr", addresses["buildkit"] ?? "", "debug", "workers"],
    }),
    answers({
      name: "containerd",
      address: addresses["containerd"],
      command: [tool("ctr"), "--address", addresses["containerd"] ?? "", "version"],
    }),
  ]);
  return [ok("platform", `up at ${url}, under process ${platform.pid}`), ...findings.flat()];
}

async function checkControlPlane(address: { readonly url: string; readonly token: string }): Promise<Finding[]> {
  try {
    const client = await connect(address);
    const info = await client.platform.info();
    return [ofControlPlane(info), ...parts(info), ...workers(info)];
  } catch (error) {
    return [broken("control plane", error instanceof Error ? error.message : String(error))];
  }
}

/** Versions are for each other while their first two numbers are the same. */
export function ofControlPlane({ version, platform }: Pick<PlatformInfo, "version" | "platform">): Finding {
  const found = `version ${version}, ${platform}`;
  const minor = (text: string) => text.split(".", 2).join(".");
  if (minor(version) === minor(VERSION)) return ok("control plane", found);
  return warning("control plane", `${found}; this is ${VERSION}, so that they may not understand each other. Upgrade the older one.`);
}

function parts(info: PlatformInfo): Finding[] {
  return info.parts.map(({ name, address, problem }) =>
    problem === undefined ? ok(name, address) : broken(name, `${address}: ${problem}`),
  );
}

function workers({ workers: known }: PlatformInfo): Finding[] {
  return (["builder", "runner"] as const).map((kind) => {
    const pools = known.filter((worker) => worker.kind === kind).map((worker) => `${worker.name} (pool ${poolText(worker)})`);
    return pools.length > 0 ? ok(kind, pools.join(", ")) : broken(kind, "none has been heard of lately");
  });
}

interface Question {
  readonly name: string;
  readonly address: string | undefined;
  readonly command: readonly [string, ...string[]];
}

async function answers({ name, address = "", command: [file, ...args] }: Question): Promise<Finding[]> {
  if (
    !(await access(file).then(
      () => true,
      () => false,
    ))
  )
    return [broken(name, `${file} is missing; \`npm start\` brings it`)];
  try {
    await promisify(execFile)(file, args, { timeout: ANSWERS_WITHIN_MS });
    return [ok(name, address)];
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n").slice(1).join(" ").trim() || error.message : String(error);
    return [broken(name, `${address}: ${reason}`)];
  }
}
