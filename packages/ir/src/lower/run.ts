/** The RUN instruction around a script. */
import { mountOf, writtenMount } from "../dockerfile/mount.ts";
import { ALL_GPUS, GPU_KIND, gpuRequest } from "../gpu.ts";
import { delimiterFor } from "./quoting.ts";
import { CA_FILE, type Script, scriptLines } from "./script.ts";

/**
 * The id of the secret mount in which a builder may hand in a bundle of certificate authorities,
 * for networks whose proxy inspects HTTPS. It may be left out; it is never part of a layer.
 */
export const CA_SECRET = "lamina-ca";

export interface Run extends Omit<Script, "secretVariables"> {
  /** `image`: the SHELL of the image; `sh`: /bin/sh whatever SHELL says. */
  readonly shell: "image" | "sh";
  readonly gpu?: string | undefined;
  /** The names of the GPUs there are; without them a step with a GPU gets all. */
  readonly gpus?: readonly string[] | undefined;
  /** Variables to bring in: the id of a secret, and the name it has in the script. */
  readonly secrets?: readonly SecretVariable[];
  readonly mounts?: readonly string[];
  /** Flags of its author, as they are written. */
  readonly flags?: readonly string[];
}

export interface SecretVariable {
  readonly id: string;
  readonly variable: string;
}

/** Writes a RUN with all that it mounts. */
export function runInstruction(run: Run): string {
  const secretVariables = [...new Set((run.secrets ?? []).map(({ id }) => id))];
  const script = scriptLines({ ...run, secretVariables }).join("\n");
  const needsFile = run.shell === "sh" || Buffer.byteLength(script) > LONGEST_ARGUMENT;
  const body = needsFile ? `#!/bin/sh\n${script}` : script;
  const delimiter = delimiterFor(body, "LAMINA");
  const flags = [
    ...deviceFlags(run.gpu, run.gpus),
    ...(run.flags ?? []),
    ...(run.mounts ?? []).map((mount) => `--mount=${secretVariables.length === 0 ? mount : inMemory(mount)}`),
    ...(run.secrets ?? []).map(({ id, variable }) => `--mount=type=secret,id=${id},env=${variable},required=true`),
    `--mount=type=secret,id=${CA_SECRET},target=${CA_FILE},mode=0444`,
  ];
  return [`RUN ${[...flags, `<<'${delimiter}'`].join(" \\\n    ")}`, body, delimiter].join("\n");
}

/** A cache that a step with secrets wrote to would have what it made of them, on a disk and for steps of others. */
function inMemory(mount: string): string {
  const { type, options } = mountOf(mount);
  return type === "cache" ? writtenMount({ type: "tmpfs", options: new Map([["target", options.get("target")]]) }) : mount;
}

/** The flags by which a RUN gets the GPUs that its step asks for: the first ones of the machine. */
export function deviceFlags(gpu: string | undefined, gpus: readonly string[] | undefined): string[] {
  if (gpu === undefined) return [];
  const { count } = gpuRequest(gpu);
  if (gpus !== undefined && gpus.length < count) throw new RangeError(`a step asks for GPU "${gpu}", and there are ${gpus.length} GPUs`);
  const devices = gpus?.slice(0, count) ?? [ALL_GPUS];
  return devices.map((name) => `--device=${GPU_KIND}=${name}`);
}

/** Linux takes no single argument of 128 KiB or more; a longer script has to be a file, which SHELL cannot apply to. */
const LONGEST_ARGUMENT = 128 * 1024 - 1024;
