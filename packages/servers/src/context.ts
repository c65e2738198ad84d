import type { Settings } from "./settings.ts";

/** What the start of each server needs. */
export interface ServerContext {
  /** The directory of this set of servers, which only its user reads. */
  readonly directory: string;
  /** Where the servers built from `infra/servers` lie. */
  readonly binaries: string;
  readonly settings: Settings;
  readonly report: (line: string) => void;
}
