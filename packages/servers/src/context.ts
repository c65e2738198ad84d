import type { Place } from "./place.ts";
import type { Settings } from "./settings.ts";

/** What the start of each server needs. */
export interface ServerContext {
  /** The directory of this set of servers, which only its user reads. */
  readonly directory: string;
  /** Where the servers built from `infra/servers` lie. */
  readonly binaries: string;
  readonly settings: Settings;
  /** Of this server. */
  readonly place: Place;
  /** The pause before a server that died is started again grows to this. */
  readonly longestPauseMs: number | undefined;
  readonly report: (line: string) => void;
}
