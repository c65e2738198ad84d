/** Reads buildctl's `--progress rawjson`: one JSON object a line, then its own error. */
import { z } from "zod";

export interface Progress {
  /** What all steps printed, line by line. */
  readonly lines: readonly string[];
  /** The same of the step that failed. */
  readonly failedLines: readonly string[];
  readonly names: readonly string[];
  /** What is no JSON: the reason of a failure. */
  readonly error: string;
}

export function readProgress(output: string): Progress {
  const { events, rest } = parse(output);
  const names = new Map<string, string>();
  const logs = new Map<string, Buffer[]>();
  const failed = new Set<string>();
  for (const { vertexes, logs: entries } of events) {
    for (const vertex of vertexes) {
      names.set(vertex.digest, vertex.name);
      if (vertex.error !== undefined) failed.add(vertex.digest);
    }
    for (const { vertex, data } of entries) logs.set(vertex, [...(logs.get(vertex) ?? []), Buffer.from(data, "base64")]);
  }
  const linesOf = (vertex: string): string[] => {
    const text = Buffer.concat(logs.get(vertex) ?? []).toString();
    return text === "" ? [] : text.replace(/\n$/, "").split("\n");
  };
  return {
    lines: [...logs.keys()].flatMap(linesOf),
    failedLines: [...failed].flatMap(linesOf),
    names: [...names.values()],
    error: rest.join("\n"),
  };
}

const Event = z.object({
  vertexes: z.array(z.object({ digest: z.string(), name: z.string(), error: z.string().optional() })).default([]),
  logs: z.array(z.object({ vertex: z.string(), data: z.string().default("") })).default([]),
});

function parse(output: string): { events: z.infer<typeof Event>[]; rest: string[] } {
  const events: z.infer<typeof Event>[] = [];
  const rest: string[] = [];
  for (const line of output.split("\n")) {
    if (line.startsWith("{")) events.push(Event.parse(JSON.parse(line)));
    else rest.push(line);
  }
  return { events, rest };
}
