/** A search for the values of secrets over all places where a platform may leave something. */
import type { ServerAddresses } from "@lamina/servers";
import { searchFiles } from "./files.ts";
import { createFinder, type Find } from "./finder.ts";
import { searchDatabase, searchNats } from "./servers.ts";

export type { Find } from "./finder.ts";
export { type ProcessWatch, type Sighting, watchProcesses } from "./processes.ts";

export interface SearchedPlaces {
  /** All files below them: data of servers, states of workers, logs. */
  readonly directories?: readonly string[];
  /** All messages that a NATS keeps. */
  readonly nats?: ServerAddresses["nats"];
  /** The URLs of databases. */
  readonly databases?: readonly string[];
  /** What else was said, by its name, such as the events that a client has heard. */
  readonly texts?: Readonly<Record<string, string>>;
}

/** Every place that holds one of the values, which have names, in one of its forms. */
export async function findSecrets(secrets: Readonly<Record<string, string>>, places: SearchedPlaces): Promise<readonly Find[]> {
  const finder = createFinder(secrets);
  for (const [name, text] of Object.entries(places.texts ?? {})) finder.look(name, Buffer.from(text));
  await Promise.all([
    ...(places.directories ?? []).map((directory) => searchFiles(directory, finder)),
    ...(places.nats === undefined ? [] : [searchNats(places.nats, finder)]),
    ...(places.databases ?? []).map((url) => searchDatabase(url, finder)),
  ]);
  return finder.finds;
}
