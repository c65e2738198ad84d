import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test, vi } from "vitest";
import { onInterrupt } from "../src/interrupt.ts";

const PROGRAM = `
  import { onInterrupt } from ${JSON.stringify(join(import.meta.dirname, "../src/interrupt.ts"))};
  const { signal } = onInterrupt();
  signal.addEventListener("abort", () => console.log("cancelling"));
  process.stdin.on("end", () => process.exit(7)).resume();
  console.log("ready");
`;

test("a signal that comes twice at once, as to a process group, cancels and does not end the program", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", PROGRAM], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line === "ready") for (const signal of ["SIGTERM", "SIGINT"] as const) child.kill(signal);
    if (line === "cancelling") child.stdin.end();
  }
  expect(lines).toEqual(["ready", "cancelling"]);
  expect(await exited).toEqual([7, null]);
});

test("a second signal later on ends the program", () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const exit = vi.spyOn(process, "exit").mockImplementation((code) => {
    throw new Error(`exit ${code}`);
  });
  using interruption = onInterrupt();
  process.emit("SIGINT", "SIGINT");
  process.emit("SIGINT", "SIGINT");
  expect(interruption.signal.aborted).toBe(true);
  expect(exit).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1_000);
  expect(() => process.emit("SIGINT", "SIGINT")).toThrow("exit 130");
  vi.restoreAllMocks();
  vi.useRealTimers();
});
