import { runningServers } from "@lamina/servers";
import { type Config, readConfig } from "../config.ts";
import type { Output } from "../output.ts";
import { sizes } from "../platform/disk.ts";
import { type PlatformRecord, readPlatform, readSupervisor } from "../platform/files.ts";
import { connect, exitCodeOf, type PlatformInfo } from "lamina";
import { columnsOf, tableIn } from "../view/columns.ts";
import { bytesText, durationText, poolText } from "../view/text.ts";

/** Says what runs, since when, where, and how much it keeps. Exit code 3 when the platform is not up. */
export async function status({ output }: { readonly output: Output }): Promise<void> {
  const config = readConfig();
  if (config.remote !== undefined) return remoteStatus(config.remote, output);
  const platform = await readPlatform(config.home);
  if (platform === undefined) await notUp(config, output);
  else await localStatus(platform, { config, output });
}

async function remoteStatus(remote: NonNullable<Config["remote"]>, output: Output): Promise<void> {
  const info = await (await connect(remote)).platform.info();
  if (output.json) return output.event({ type: "status", state: "up", url: remote.url, ...info });
  output.say(`The platform at ${remote.url} is up (named by LAMINA_URL).`);
  for (const line of workerLines(info, output)) output.result(line);
}

async function notUp({ home }: Config, output: Output): Promise<void> {
  process.exitCode = exitCodeOf("UNREACHABLE");
  const record = await readSupervisor(home);
  const state = record?.alive ? record.state : "down";
  if (output.json) return output.event({ type: "status", state, home });
  output.say(state === "down" ? "The platform is not up. `lamina up` starts it." : `The platform is ${state}.`);
  if (record?.state === "failed" && record.problem !== undefined) output.say(`Its last start failed: ${record.problem.trimEnd()}`);
}

async function localStatus(
  platform: PlatformRecord,
  { config, output }: { readonly config: Config; readonly output: Output },
): Promise<void> {
  const client = await connect(platform);
  const [info, parts, kept] = await Promise.all([client.platform.info(), runningServers(config.home), sizes(config.home)]);
  const { url, pid, since, addresses } = platform;
  if (output.json)
    return output.event({ type: "status", state: "up", url, pid, since, home: config.home, processes: parts, bytes: kept, ...info });
  output.say(`The platform is up at ${url}, for ${ago(since)}, under process ${pid}.`);
  output.result("");
  const rows = parts.map((part) => [
    part.name,
    String(part.pid),
    ago(part.since),
    addresses[part.name === "buildkitd" ? "buildkit" : part.name] ?? "",
  ]);
  for (const line of tableIn([["PART", "PROCESS", "FOR", "ADDRESS"], ...rows], output.columns)) output.result(line);
  for (const line of workerLines(info, output)) output.result(line);
  output.result("");
  output.say(`All of it is kept in ${config.home}:`);
  for (const line of columnsOf(Object.entries(kept).map(([what, bytes]) => [`  ${what}`, bytesText(bytes)]))) output.result(line);
}

function workerLines({ workers }: PlatformInfo, { columns }: Output): string[] {
  if (workers.length === 0) return ["", "No builder or runner has been heard of lately."];
  return ["", ...tableIn([["WORKER", "KIND", "POOL"], ...workers.map((worker) => [worker.name, worker.kind, poolText(worker)])], columns)];
}

function ago(time: string | Date): string {
  return durationText(Date.now() - new Date(time).getTime());
}
