import { capture } from "./child.mjs";

const STILL_EVERY_MS = 30_000;

/**
 * Runs a command as a step that people see: what it does and how long it may take, that it goes on, and how
 * long it took. What the command prints is shown only when it fails.
 */
export async function step(what, mayTake, { command, directory, environment }) {
  console.error(`… ${what} (${mayTake})`);
  const seconds = await watched(what, async () => {
    const { succeeded, output } = await capture(command, { directory, environment });
    if (!succeeded) throw new Error(`${what} failed: ${command.join(" ")}\n${output}`);
  });
  console.error(`✓ ${what}: ${seconds} s`);
}

/** Does the work, says now and then that it goes on, and returns how many seconds it took. */
export async function watched(what, work) {
  const started = performance.now();
  const seconds = () => ((performance.now() - started) / 1000).toFixed(1);
  const still = setInterval(() => console.error(`… ${what}: still at it after ${Math.round(seconds())} s`), STILL_EVERY_MS);
  try {
    await work();
    return seconds();
  } finally {
    clearInterval(still);
  }
}
