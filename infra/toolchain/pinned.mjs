import { copyFile, readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { cacheRoot, hashOf, makeOnce } from "./cache.mjs";
import { step } from "./step.mjs";

const FILES = ["package.json", "package-lock.json"];

/** The environment with the pinned Node and pnpm first on PATH. They are installed into the cache when they are not there. */
export async function pinnedEnvironment({ root, cache }) {
  const platform = `${process.platform}-${process.arch}`;
  if (!["linux-x64", "linux-arm64"].includes(platform)) {
    throw new Error(
      `The pinned Node comes for linux-x64 and linux-arm64 only, and this is ${platform}: use a Linux machine or container. The command line runs under any Node 24 or newer.`,
    );
  }
  const sources = join(root, "infra", "toolchain");
  const contents = await Promise.all(FILES.map((file) => readFile(join(sources, file), "utf8")));
  const toolchain = join(cache, `toolchain-${hashOf([...contents, platform])}`);
  const environment = withoutNpm(process.env);
  await makeOnce(toolchain, async (directory) => {
    await Promise.all(FILES.map((file) => copyFile(join(sources, file), join(directory, file))));
    await step("Installing the pinned Node and pnpm", "about 10 s", {
      command: ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
      directory,
      environment,
    });
  });
  const modules = join(toolchain, "node_modules");
  return {
    ...environment,
    PATH: [
      join(modules, `node-${platform}`, "bin"),
      join(modules, "@pnpm", `exe.${platform}`),
      join(root, "node_modules", ".bin"),
      environment.PATH,
    ].join(delimiter),
    LAMINA_CACHE: cacheRoot(),
    TURBO_TELEMETRY_DISABLED: "1",
    CHECKPOINT_DISABLE: "1",
  };
}

/** `npm start` sets npm_* variables for its script, by which pnpm and npm would take the wrong settings. */
function withoutNpm(environment) {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("npm_")));
}
