/** The functions and calls of a control plane in memory. */
import { type CallEnd, type FinishCallsInput, LaminaError, type ServedFunction, type Services, type StartedCalls } from "@lamina/api";

export type RecordedEnd = Exclude<CallEnd, { state: "cancelled" }>;

export interface TestFunctions {
  readonly services: Pick<Services, "functions" | "calls">;
  /** What there is to serve. */
  readonly served: Map<string, ServedFunction>;
  /** The values of secrets by the function's id. */
  readonly secrets: Map<string, Record<string, string>>;
  /** Calls that were said to have begun. */
  readonly started: StartedCalls["calls"];
  /** Calls that were given messages of their own. */
  readonly sentApart: string[];
  /** Resolves to the end of a call that is recorded. */
  end(call: string): Promise<RecordedEnd>;
  /** How often each call's end was recorded. */
  readonly recorded: Map<string, number>;
  /** Decides after how many milliseconds a call that failed is tried again. */
  retry: (outcome: FinishCallsInput["calls"][number]) => number | undefined;
}

export function testFunctions(refuse: () => Promise<never>, refuseToFollow: () => AsyncGenerator<never>): TestFunctions {
  const ends = new Map<string, PromiseWithResolvers<RecordedEnd>>();
  const endOf = (call: string) => {
    const known = ends.get(call) ?? Promise.withResolvers<RecordedEnd>();
    ends.set(call, known);
    return known;
  };
  const ended = new Set<string>();
  const functions: TestFunctions = {
    served: new Map(),
    secrets: new Map(),
    started: [],
    sentApart: [],
    recorded: new Map(),
    end: (call) => endOf(call).promise,
    retry: () => undefined,
    services: {
      functions: {
        list: async () => [...functions.served.values()],
        async secrets(_, { id }) {
          if (!functions.served.has(id)) throw new LaminaError({ code: "NOT_FOUND", message: `no function ${id}` });
          return functions.secrets.get(id) ?? {};
        },
      },
      calls: {
        start: refuse,
        wait: refuse,
        get: refuse,
        list: refuse,
        cancel: refuse,
        logs: refuseToFollow,
        started: async (_, { calls }) => void functions.started.push(...calls),
        carried: async (_, { ids }) => ids.filter((id) => !ended.has(id)),
        sendApart: async (_, { ids }) => void functions.sentApart.push(...ids),
        finish: async (_, { calls }) =>
          calls.map((outcome) => {
            const { id, end } = outcome;
            functions.recorded.set(id, (functions.recorded.get(id) ?? 0) + 1);
            const retryAfterMs = end.state === "failed" ? functions.retry(outcome) : undefined;
            if (retryAfterMs === undefined) {
              ended.add(id);
              endOf(id).resolve(end);
            }
            return { id, ...(retryAfterMs !== undefined && { retryAfterMs }) };
          }),
      },
    },
  };
  return functions;
}
