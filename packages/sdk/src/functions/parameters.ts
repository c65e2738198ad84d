/** The names by which arguments can be given to a function in TypeScript, read from its text: at run time nothing else has them. */
import type { ParameterNames } from "@lamina/api";
import { z } from "zod";
import type { FunctionDefinition } from "./definition.ts";

/** What runs when the function is called, or that method of a class; undefined where it is in Python, or another copy of the SDK does not say. */
export function handlerOf({ code }: FunctionDefinition, method: string | undefined): unknown {
  if (code.language !== "typescript") return undefined;
  if (method === undefined || typeof code.handler !== "function") return code.handler;
  const prototype: unknown = code.handler.prototype;
  return typeof prototype === "object" && prototype !== null ? Reflect.get(prototype, method) : undefined;
}

/** Of each of its methods, or of the function under its own name; those that have no names are left out. */
export async function allParametersOf(definition: FunctionDefinition): Promise<Record<string, ParameterNames>> {
  const methods: readonly (string | undefined)[] = definition.methods ?? [undefined];
  const all = await Promise.all(
    methods.map(async (method): Promise<[string, ParameterNames][]> => {
      const parameters = await parametersOf(handlerOf(definition, method));
      return parameters === undefined ? [] : [[method ?? definition.name, parameters]];
    }),
  );
  return Object.fromEntries(all.flat());
}

/** Undefined where not every parameter has a name, or there is no text to read, as of a function that `bind` made. */
export async function parametersOf(handler: unknown): Promise<ParameterNames | undefined> {
  if (typeof handler !== "function") return undefined;
  const parameters = await parsedParameters(String(handler));
  if (parameters === undefined) return undefined;
  const [first, ...others] = parameters;
  if (first?.type === "ObjectPattern" && others.length === 0) return objectOf(first);
  // What a rest takes has no names; the parameters before it have.
  const named = parameters.filter(({ type }) => type !== "RestElement");
  const names = named.flatMap((parameter) => (parameter.type === "Identifier" ? [parameter.name] : []));
  return names.length < named.length || (names.length === 0 && parameters.length > 0) ? undefined : { kind: "list", names };
}

function objectOf({ properties }: z.output<typeof ObjectPattern>): ParameterNames {
  const names = properties.flatMap((property) => (property.type === "Property" ? [property.key] : []));
  return { kind: "object", names, isOpen: names.length < properties.length };
}

// What is read of a syntax tree (ESTree). What does not fit has no names.
const Identifier = z.object({ type: z.literal("Identifier"), name: z.string() });
const Rest = z.object({ type: z.literal("RestElement") });
const Key = z.union([
  Identifier.transform(({ name }) => name),
  z.object({ type: z.literal("Literal"), value: z.union([z.string(), z.number()]) }).transform(({ value }) => String(value)),
]);
const Property = z.object({ type: z.literal("Property"), computed: z.literal(false), key: Key });
const ObjectPattern = z.object({ type: z.literal("ObjectPattern"), properties: z.array(z.union([Property, Rest])) });
const WithoutDefault = z.union([Identifier, ObjectPattern]);
const WithDefault = z.object({ type: z.literal("AssignmentPattern"), left: WithoutDefault }).transform(({ left }) => left);
const Parameters = z.array(z.union([WithoutDefault, WithDefault, Rest]));
const FunctionNode = z
  .object({ type: z.enum(["ArrowFunctionExpression", "FunctionExpression"]), params: Parameters })
  .transform(({ params }) => params);
const Method = z.object({ type: z.literal("ObjectExpression"), properties: z.tuple([z.object({ value: FunctionNode })]) });
const Program = z
  .object({
    body: z.tuple([z.object({ expression: z.union([FunctionNode, Method.transform(({ properties }) => properties[0].value)]) })]),
  })
  .transform(({ body }) => body[0].expression);

/** A function's text is an expression, or else the method of an object. */
async function parsedParameters(text: string): Promise<z.output<typeof Parameters> | undefined> {
  // Slow to load, and needed where arguments have names alone.
  const { parseAst } = await import("rolldown/parseAst");
  const parsed = (program: string): unknown => {
    try {
      return parseAst(program);
    } catch {
      // That is no program: the text is of another kind, or of a function that is not written in JavaScript.
      return undefined;
    }
  };
  return Program.safeParse(parsed(`(${text})`) ?? parsed(`({${text}})`)).data;
}
