/** What the cases start from. */
import { base, servers } from "@lamina/testkit";
import { lower } from "../../src/index.ts";
import { type BuildInput, buildLowered, expectBuilt, requestFor } from "./build.ts";

/** Debian with Python, dash and bash. */
export function pythonBase(): Promise<string> {
  return base("3.13");
}

/** Static busybox and its links, two users, and a few things to collide with. */
export async function shellBase(): Promise<string> {
  const { registry } = await servers();
  const repository = "bases/shell";
  const input: BuildInput = {
    from: await pythonBase(),
    steps: [
      { kind: "aptInstall", arguments: ["busybox-static"] },
      {
        kind: "runCommands",
        commands: [
          "mkdir -p /out/bin /out/etc /out/usr/lib && cd /out",
          "cp $(command -v busybox) bin/busybox && for name in $(busybox --list | grep -vx busybox); do ln -sf busybox bin/$name; done",
          "printf '%s\\n' root:x:0:0:root:/root:/bin/sh nobody:x:65534:65534:nobody:/:/bin/sh >etc/passwd",
          "mkdir dev proc sys && mkdir -m 1777 tmp && ln -s usr/lib lib && ln -s nowhere dangling && mkdir -m 0711 kept",
        ],
      },
    ],
    output: { kind: "image", repository },
  };
  const maker = lower(requestFor(input));
  const outcome = await buildLowered(input, {
    ...maker,
    dockerfile: `${maker.dockerfile}\nFROM scratch AS shell\nCOPY --from=lamina-2 ["/out/", "/"]\nENV PATH=/bin\n`,
    stages: [{ layer: 1, target: "shell" }],
  });
  return `${registry.host}/${repository}@${expectBuilt(outcome).digest}`;
}

/** The same image, run by another user. */
export function withUser(from: string, user: string): Promise<string> {
  return derived(from, `USER ${user}`);
}

/** The same image with another SHELL. */
export function withShell(from: string, shell: readonly string[]): Promise<string> {
  return derived(from, `SHELL ${JSON.stringify(shell)}`);
}

/** An image with one more instruction. */
export async function derived(from: string, instruction: string): Promise<string> {
  const { registry } = await servers();
  const repository = "bases/derived";
  const outcome = await buildLowered(
    { from, steps: [], output: { kind: "image", repository } },
    {
      dockerfile: `FROM ${from} AS derived\n${instruction}\n`,
      stages: [{ layer: 0, target: "derived" }],
      contexts: [],
      secrets: [],
      buildArgs: {},
    },
  );
  return `${registry.host}/${repository}@${expectBuilt(outcome).digest}`;
}
