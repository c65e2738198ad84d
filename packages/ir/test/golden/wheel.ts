/** A Python package in two versions, as wheels. */
import { wheelOf } from "@lamina/testkit/wheel";

const older = sample("1.0");
const newer = sample("2.0");

export const wheel = { olderFileName: older.name, older: older.content, newerFileName: newer.name, newer: newer.content };

function sample(version: string) {
  return wheelOf({ module: "lamina_sample", version, source: `VERSION = "${version}"\n` });
}
