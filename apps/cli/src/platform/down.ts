/** Stops the embedded platform, whatever state it is in. */
import { setTimeout as delay } from "node:timers/promises";
import { identify, stopLeftovers } from "@lamina/servers";
import type { Config } from "../config.ts";
import { LaminaError } from "lamina";
import { readSupervisor, removeRecords, type SupervisorRecord } from "./files.ts";

const POLL_MS = 50;
/** Longer than the supervisor takes at worst: workers, then the control plane, then the servers, each with its grace. */
const STOPS_WITHIN_MS = 120_000;

/**
 * Ends the supervisor, which ends all that it started, and what an earlier one left behind. False when
 * nothing ran. @throws INTERNAL when it does not end
 */
export async function down(config: Config, onProgress: (record: SupervisorRecord) => void): Promise<boolean> {
  const record = await readSupervisor(config.home);
  if (record?.alive) {
    process.kill(record.pid, "SIGTERM");
    await untilGone(config, record, onProgress);
  }
  await stopLeftovers(config.home);
  await removeRecords(config.home);
  return record !== undefined && record.state !== "failed";
}

async function untilGone(
  config: Config,
  { pid, startedAt }: SupervisorRecord,
  onProgress: (record: SupervisorRecord) => void,
): Promise<void> {
  const deadline = performance.now() + STOPS_WITHIN_MS;
  while ((await identify(pid))?.startedAt === startedAt) {
    if (performance.now() > deadline) {
      throw new LaminaError({
        code: "INTERNAL",
        message: `The supervisor, process ${pid}, has not ended after ${STOPS_WITHIN_MS / 1000} s. End it by \`kill -9 ${pid}\`; then \`lamina down\` ends what it leaves.`,
      });
    }
    const record = await readSupervisor(config.home);
    if (record !== undefined) onProgress(record);
    await delay(POLL_MS);
  }
}
