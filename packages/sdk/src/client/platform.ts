/** Which platform to talk to. */
import { badInput, LaminaError } from "@lamina/api";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type SdkConfig, sdkConfig } from "../config.ts";

export interface PlatformAddress {
  /** Such as `http://127.0.0.1:7420`. */
  readonly url: string;
  readonly token: string;
}

/** What the embedded platform writes to `platform.json` in its home while it runs; only its user may read it. */
export const PlatformFile = z.object({ url: z.url(), token: z.string().min(1) });
export type PlatformFile = z.infer<typeof PlatformFile>;

/**
 * The platform that the environment names, else the embedded one.
 * @throws UNREACHABLE when there is neither, UNAUTHORIZED when LAMINA_URL comes without LAMINA_TOKEN
 */
export async function findPlatform(config: SdkConfig = sdkConfig()): Promise<PlatformAddress> {
  return namedPlatform(config) ?? embeddedPlatform(config.home);
}

/** The platform that the environment names, if any. @throws as {@link findPlatform} */
export function namedPlatform({ url, token }: SdkConfig): PlatformAddress | undefined {
  if (url === undefined) return undefined;
  if (!z.url().safeParse(url).success) {
    throw badInput("invalid-configuration", `LAMINA_URL is "${url}", which is not a URL such as http://127.0.0.1:7420.`);
  }
  if (token === undefined) throw new LaminaError({ code: "UNAUTHORIZED", message: `LAMINA_URL is set and LAMINA_TOKEN is not; set both.` });
  return { url, token };
}

async function embeddedPlatform(home: string): Promise<PlatformAddress> {
  const file = join(home, "platform.json");
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    const message = "No platform runs here. Start one with `lamina up`, or point LAMINA_URL and LAMINA_TOKEN at another.";
    throw new LaminaError({ code: "UNREACHABLE", message }, { cause: error });
  });
  const platform = PlatformFile.safeParse(jsonOf(text));
  if (platform.success) return platform.data;
  const message = `${file} does not say where the platform is. Start it again with \`lamina up\`.`;
  throw new LaminaError({ code: "UNREACHABLE", message }, { cause: platform.error });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
