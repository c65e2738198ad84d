/** Arguments by the names of a TypeScript function's parameters, as what it is called with: it knows them by their order. */
import { badInput, type Input, type ParameterNames } from "lamina";

/**
 * The input with its named arguments where the function has them, whose names cannot be read where they are undefined.
 * @throws INVALID_INPUT for a name that it has no parameter of
 */
export function placedInput(input: Input, parameters: ParameterNames | undefined): Input {
  if (Object.keys(input.kwargs).length === 0) return input;
  if (parameters === undefined) {
    throw invalid(
      `The names of the function's parameters cannot be read, so that ${flags(Object.keys(input.kwargs))} cannot be given to it. Give values in order, an object as JSON: '{"name": "value"}'.`,
    );
  }
  return { args: parameters.kind === "list" ? inOrder(input, parameters) : asObject(input, parameters), kwargs: {} };
}

function inOrder({ args, kwargs }: Input, parameters: ParameterNames): readonly unknown[] {
  const { names } = parameters;
  const placed = [...args];
  const given = Object.entries(kwargs).map(([flag, value]) => ({ flag, value, index: names.indexOf(nameOf(flag, parameters)) }));
  for (const { flag, value, index } of given.toSorted((a, b) => a.index - b.index)) {
    if (index < args.length) throw invalid(`${names[index]} is given twice: in order, and by --${flag}.`);
    if (index in placed) throw invalid(`${names[index]} is given twice by its name.`);
    // What is left out in between would arrive as null, in place of a default.
    if (index > placed.length) throw invalid(`${names[placed.length]} comes before ${names[index]}: give --${names[placed.length]} too.`);
    placed.push(value);
  }
  return placed;
}

function asObject({ args, kwargs }: Input, parameters: ParameterNames): readonly unknown[] {
  if (args.length > 0) throw invalid(`The function takes one object. Give all of it as JSON, or all by names: ${flags(parameters.names)}.`);
  const fields = Object.entries(kwargs).map(([flag, value]): [string, unknown] => [nameOf(flag, parameters), value]);
  return [Object.fromEntries(fields)];
}

/** Flags have dashes where names have capitals. */
function nameOf(flag: string, parameters: ParameterNames): string {
  const { names } = parameters;
  const plain = (text: string) => text.replaceAll("_", "").toLowerCase();
  const name = names.find((one) => one === flag) ?? names.find((one) => plain(one) === plain(flag));
  if (name !== undefined) return name;
  if (parameters.kind === "object" && parameters.isOpen) return flag;
  if (names.length === 0) throw invalid(`The function has no parameters, and so no --${flag}.`);
  const asJson = parameters.kind === "list" ? ` An object is given as JSON: --${names[0]} '{"${flag}": …}'.` : "";
  throw invalid(`The function has no parameter --${flag}. It has: ${flags(names)}.${asJson}`);
}

function flags(names: readonly string[]): string {
  return names.map((name) => `--${name}`).join(", ");
}

function invalid(message: string) {
  return badInput("invalid-usage", message);
}
