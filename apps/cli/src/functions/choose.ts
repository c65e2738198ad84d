/** Which function of a user's file a command means. */
import { type AppState, appsOf, definitionOf, type FunctionDefinition, isFunction, LaminaError } from "lamina";

/** `FILE` or `FILE::function`, for a class `FILE::Class.method`. */
export interface FunctionTarget {
  readonly file: string;
  readonly name: string | undefined;
}

export function parseFunctionTarget(text: string): FunctionTarget {
  const colons = text.lastIndexOf("::");
  return colons === -1 ? { file: text, name: undefined } : { file: text.slice(0, colons), name: text.slice(colons + 2) };
}

export type Chosen =
  | { readonly kind: "function"; readonly definition: FunctionDefinition; readonly method: string | undefined }
  /** Runs here, and calls functions of these apps. */
  | { readonly kind: "entrypoint"; readonly run: (...args: unknown[]) => unknown; readonly apps: readonly AppState[] };

/** @throws INVALID_INPUT when there is no such function, or it has to be said which */
export function choose(exports: Readonly<Record<string, unknown>>, { file, name }: FunctionTarget): Chosen {
  const apps = appsOf(exports);
  const all = apps.flatMap((app) => app.functions);
  const callable = all.flatMap(namesOf);
  if (name === undefined) {
    const entrypoint = exports["default"];
    if (isPlainFunction(entrypoint)) return { kind: "entrypoint", run: entrypoint, apps };
    const [first, ...others] = all.flatMap(callsOf);
    if (first !== undefined && others.length === 0) return first;
    throw invalid(
      callable.length === 0
        ? `${file} exports no function of an app, nor an app.`
        : `${file} has several functions. Name one: ${listed(file, callable)}`,
    );
  }
  const exported = exports[name];
  if (isFunction(exported) && definitionOf(exported).methods === undefined)
    return { kind: "function", definition: definitionOf(exported), method: undefined };
  if (isPlainFunction(exported)) return { kind: "entrypoint", run: exported, apps };
  const found = all.flatMap(callsOf).find((call) => nameOf(call) === name);
  if (found !== undefined) return found;
  throw invalid(
    `${file} has no function "${name}". ${callable.length === 0 ? "It exports none." : `There are: ${listed(file, callable)}`}`,
  );
}

type Call = Extract<Chosen, { kind: "function" }>;

function callsOf(definition: FunctionDefinition): Call[] {
  const methods: readonly (string | undefined)[] = definition.methods ?? [undefined];
  return methods.map((method) => ({ kind: "function", definition, method }));
}

function nameOf({ definition, method }: Call): string {
  return method === undefined ? definition.name : `${definition.name}.${method}`;
}

function namesOf(definition: FunctionDefinition): string[] {
  return callsOf(definition).map(nameOf);
}

function listed(file: string, names: readonly string[]): string {
  return names.map((name) => `${file}::${name}`).join(", ");
}

function isPlainFunction(value: unknown): value is (...args: unknown[]) => unknown {
  return typeof value === "function";
}

function invalid(message: string): LaminaError {
  return new LaminaError({ code: "INVALID_INPUT", message });
}
