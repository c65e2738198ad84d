import { copyFile, mkdir, open, type FileHandle, stat, truncate } from "node:fs/promises";
import { dirname } from "node:path";

const ROTATES_AT_BYTES = 16 * 1024 * 1024;
const LOOKS_EVERY_MS = 5_000;

/** Opens a log to append to. */
export async function openLog(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await rotate(path);
  return open(path, "a", 0o600);
}

/**
 * Keeps a log small that a process appends to, until the signal is aborted: what is in it is copied to `<path>.old`,
 * and the file, which the process has open, is emptied.
 */
export function keepSmall(
  path: string,
  { signal, report }: { readonly signal: AbortSignal; readonly report: (line: string) => void },
): void {
  const timer = setInterval(() => {
    rotate(path).catch((error: unknown) => report(`${path} could not be rotated: ${String(error)}`));
  }, LOOKS_EVERY_MS);
  timer.unref();
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}

async function rotate(path: string): Promise<void> {
  const size = await stat(path).then(
    (file) => file.size,
    () => 0,
  );
  if (size < ROTATES_AT_BYTES) return;
  await copyFile(path, `${path}.old`);
  await truncate(path);
}
