import { existsSync, globSync } from "node:fs";
import { basename, join } from "node:path";
import { defineConfig } from "vitest/config";

const root = join(import.meta.dirname, "..");

// One project a package or app, named as its folder: `npm test -- --project ir`.
// The examples of the SDK take longest, so they begin first.
const places = new Set(["packages/sdk", "infra", ...globSync("{packages,apps}/*", { cwd: root })]);
const folders = [...places].filter((folder) => existsSync(join(root, folder, "test")));

export default defineConfig({
  test: {
    root,
    // Once for the whole run, whatever the projects.
    globalSetup: join(root, "packages/testkit/src/global-setup.ts"),
    projects: folders.map((folder) => ({
      extends: false,
      test: {
        name: basename(folder),
        root: join(root, folder),
        include: ["test/**/*.test.ts"],
        testTimeout: 60_000,
        hookTimeout: 180_000,
        expect: { poll: { timeout: 30_000 } },
        // Most test files wait for servers most of the time, so more than one a core go on at once.
        maxWorkers: 3,
        // What memory is in use is known after a collection of garbage.
        execArgv: ["--expose-gc"],
      },
    })),
  },
});
