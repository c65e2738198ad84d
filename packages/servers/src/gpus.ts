/** The GPUs of a machine, as BuildKit can give them to steps, by class. */
import { join } from "node:path";
import { z } from "zod";
import { runCommand } from "./command.ts";

/** GPUs alike. */
export interface GpuClass {
  /** As a step asks for it: `T4`, `A100-80GB`; `gpu` where nothing tells what they are. */
  readonly name: string;
  /** The names that they have as CDI devices of the kind {@link GPU_KIND}. */
  readonly devices: readonly string[];
}

/** Says of a CDI device, or of a specification, which class it is. It comes before what the driver says. */
export const CLASS_ANNOTATION = "dev.lamina.gpu-class";

/** The kind of CDI device that NVIDIA's GPUs are; the IR has these two names as well. */
export const GPU_KIND = "nvidia.com/gpu";
/** Stands for every GPU of the machine. */
export const ALL_GPUS = "all";
const UNKNOWN_CLASS = "gpu";

export interface BuildkitClient {
  /** The directory of buildctl. */
  readonly binaries: string;
  /** Of BuildKit, as `buildctl --addr` takes it. */
  readonly address: string;
}

/**
 * Asks BuildKit which CDI devices it found when it started, and the driver (`nvidia-smi`), where it is there, what they are.
 * GPUs that have numbers are counted once, whatever other names they have.
 */
export async function gpuClasses({ binaries, address }: BuildkitClient): Promise<GpuClass[]> {
  const answer = await runCommand(join(binaries, "buildctl"), ["--addr", address, "debug", "workers", "--format", "{{json .}}"]);
  const devices = Workers.parse(JSON.parse(answer)).flatMap(({ cdiDevices }) => cdiDevices ?? []);
  const prefix = `${GPU_KIND}=`;
  const allowed = devices.filter(({ name, autoAllow }) => autoAllow && name.startsWith(prefix));
  const gpus = distinctGpus(allowed.map(({ name, annotations }) => ({ name: name.slice(prefix.length), annotations })));
  if (gpus.length === 0) return [];
  const isHere = address.startsWith("unix:");
  return classesOf(gpus, isHere ? await cardsOfDriver() : []);
}

const CdiDevice = z.object({
  name: z.string(),
  /** Whether a step gets it without BuildKit being told that it may. */
  autoAllow: z.boolean(),
  annotations: z.record(z.string(), z.string()).nullish(),
});
const Workers = z.array(z.object({ cdiDevices: z.array(CdiDevice).nullish() }));

export interface GpuDevice {
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>> | null | undefined;
}

/** A GPU as the driver knows it. */
export interface Card {
  readonly index: string;
  readonly uuid: string;
  /** Such as `NVIDIA A100-SXM4-80GB`. */
  readonly product: string;
}

export function classesOf(gpus: readonly GpuDevice[], cards: readonly Card[]): GpuClass[] {
  const classes = new Map<string, string[]>();
  for (const gpu of gpus) {
    const name = gpu.annotations?.[CLASS_ANNOTATION] ?? classOfCards(gpu.name, cards) ?? UNKNOWN_CLASS;
    classes.set(name, [...(classes.get(name) ?? []), gpu.name]);
  }
  return [...classes].map(([name, devices]) => ({ name, devices }));
}

/** The class of a card by its product name: the model, and its memory where that makes it another class. */
export function classOfProduct(product: string): string | undefined {
  const words = product.split(/[\s-]+/).filter((word) => !BRANDS.has(word.toLowerCase()));
  const model = words.findIndex((word) => /\d/.test(word));
  if (model === -1) return undefined;
  const variant = VARIANTS.has(words[model + 1]?.toLowerCase() ?? "") ? 1 : 0;
  const name = words.slice(0, model + 1 + variant).join("-");
  return name === "A100" && words.includes("80GB") ? `${name}-80GB` : name;
}

const BRANDS = new Set(["nvidia", "tesla", "geforce", "quadro", "grid"]);
const VARIANTS = new Set(["ti", "super", "ada"]);

/** By number, else by anything but the one that stands for all, else that one. */
function distinctGpus(gpus: readonly GpuDevice[]): readonly GpuDevice[] {
  const numbered = gpus.filter(({ name }) => /^\d+$/.test(name));
  if (numbered.length > 0) return numbered.toSorted((a, b) => Number(a.name) - Number(b.name));
  const single = gpus.filter(({ name }) => name !== ALL_GPUS);
  return single.length > 0 ? single : gpus;
}

function classOfCards(device: string, cards: readonly Card[]): string | undefined {
  const meant = device === ALL_GPUS ? cards : cards.filter(({ index, uuid }) => device === index || device === uuid);
  const classes = new Set(meant.map(({ product }) => classOfProduct(product)));
  return classes.size === 1 ? [...classes][0] : undefined;
}

async function cardsOfDriver(): Promise<Card[]> {
  const answer = await runCommand("nvidia-smi", ["--query-gpu=index,uuid,name", "--format=csv,noheader"]).catch(() => "");
  return answer.split("\n").flatMap((line) => {
    const [index, uuid, product] = line.split(", ");
    return index === undefined || uuid === undefined || product === undefined ? [] : [{ index, uuid, product }];
  });
}
