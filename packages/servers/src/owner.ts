import { endProcess } from "./end-process.ts";
import { readOwner, readServerRecords, removeOwner, removeServerRecord, writeOwner } from "./pid-file.ts";
import { identify, isAlive } from "./process-identity.ts";

/**
 * Makes this process the one that supervises the directory's servers, and ends those that an earlier one
 * left behind. Throws when another live process supervises them. The returned function gives the directory
 * up again.
 */
export async function claim(directory: string): Promise<() => Promise<void>> {
  const owner = await readOwner(directory);
  if (owner !== undefined && (await isAlive(owner))) {
    throw new Error(`The servers in ${directory} already run, under process ${owner.pid}.`);
  }
  const self = await identify(process.pid);
  if (self === undefined) throw new Error("This process is not in /proc: the servers need Linux.");
  await writeOwner(directory, self);
  await endLeftovers(directory);
  return () => removeOwner(directory);
}

/** Ends the servers of a supervisor that was killed. False, and nothing is done, when the directory has none such. */
export async function stopLeftovers(directory: string): Promise<boolean> {
  const owner = await readOwner(directory);
  if (owner === undefined || (await isAlive(owner))) return false;
  await endLeftovers(directory);
  return true;
}

/** Ends the servers that the directory remembers, recognised by number and start time, never by name. */
export async function endLeftovers(directory: string): Promise<void> {
  const records = await readServerRecords(directory);
  await Promise.all(
    [...records].map(async ([name, record]) => {
      await endProcess(record, record.stop);
      await removeServerRecord(directory, name);
    }),
  );
}
