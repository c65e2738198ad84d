/** What the SDK reads from the environment; nothing else here does, but for `Secret.fromEnv`, which is asked to. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";

export interface SdkConfig {
  /** The directory that holds all local state. */
  readonly home: string;
  /** The platform to talk to, where one is named. */
  readonly url: string | undefined;
  readonly token: string | undefined;
}

/** Reads `LAMINA_HOME` (default `${XDG_DATA_HOME:-~/.local/share}/lamina`), `LAMINA_URL` and `LAMINA_TOKEN`. An empty variable counts as unset. */
export function sdkConfig(env: Readonly<Record<string, string | undefined>> = process.env): SdkConfig {
  const dataHome = env["XDG_DATA_HOME"] || join(homedir(), ".local", "share");
  return {
    home: resolve(env["LAMINA_HOME"] || join(dataHome, "lamina")),
    url: env["LAMINA_URL"] || undefined,
    token: env["LAMINA_TOKEN"] || undefined,
  };
}
