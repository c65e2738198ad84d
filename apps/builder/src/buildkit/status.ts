/** What BuildKit says while it solves: a line of `buildctl --progress rawjson`. */
import { z } from "zod";

/** A step of the build. It is told again with each change of its state. */
const Vertex = z.object({
  digest: z.string(),
  /** Such as `[stage 2/3] RUN …`. */
  name: z.string(),
  /** The digests of the vertices that it needs; none where it fetches something. */
  inputs: z.array(z.string()).default([]),
  started: z.iso.datetime({ offset: true }).optional(),
  completed: z.iso.datetime({ offset: true }).optional(),
  cached: z.boolean().optional(),
  error: z.string().optional(),
});
export type Vertex = z.infer<typeof Vertex>;

/** How far a vertex is with something, mostly in bytes. */
const VertexStatus = z.object({
  id: z.string(),
  vertex: z.string(),
  name: z.string().optional(),
  current: z.number().optional(),
  total: z.number().optional(),
  started: z.string().optional(),
  completed: z.string().optional(),
});
export type VertexStatus = z.infer<typeof VertexStatus>;

const VertexLog = z.object({
  vertex: z.string(),
  data: z.base64().transform((text) => Buffer.from(text, "base64")),
});

const SolveStatus = z.object({
  vertexes: z.array(Vertex).default([]),
  statuses: z.array(VertexStatus).default([]),
  logs: z.array(VertexLog).default([]),
});
export type SolveStatus = z.infer<typeof SolveStatus>;

/** Undefined for a line that is no status: buildctl writes its last error as plain text. */
export function parseStatus(line: string): SolveStatus | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const status = SolveStatus.safeParse(JSON.parse(line));
    return status.success ? status.data : undefined;
  } catch {
    return undefined;
  }
}
