/** Arguments of a command as the input of a function, whatever its language. */
import { decodeValue, type Input, LaminaError, ValueProblem } from "lamina";

/**
 * `--name value` gives named arguments, each value JSON where it is that and text where not, integers of any size; other arguments come in
 * order. A single one that is a JSON list has all of them. @throws INVALID_INPUT
 */
export function inputOf(args: readonly string[]): Input {
  const positional: unknown[] = [];
  const named: [string, unknown][] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? "";
    const [, name, joined] = /^--([A-Za-z_]\w*(?:-\w+)*)(?:=([^]*))?$/.exec(arg) ?? [];
    if (name === undefined) {
      positional.push(valueOf(arg));
      continue;
    }
    const next = args[index + 1];
    const hasValue = joined === undefined && next !== undefined && !next.startsWith("--");
    if (hasValue) index += 1;
    named.push([name.replaceAll("-", "_"), joined === undefined ? (hasValue ? valueOf(next) : true) : valueOf(joined)]);
  }
  const kwargs = Object.fromEntries(named);
  const [only, ...others] = positional;
  return { args: Array.isArray(only) && others.length === 0 && named.length === 0 ? only : positional, kwargs };
}

/** The strings and the numbers of a text that is JSON. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

/** Integers that no number holds are big ones: another number in their place would look right. */
function withExactIntegers(text: string): string {
  return text.replace(TOKEN, (token) => {
    const isLarge = /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token));
    return isLarge ? JSON.stringify({ $lamina: "bigint", value: token }) : token;
  });
}

function valueOf(text: string): unknown {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  try {
    return decodeValue(withExactIntegers(text));
  } catch (error) {
    if (error instanceof ValueProblem)
      throw new LaminaError({ code: "INVALID_INPUT", message: `${text}: ${error.message}` }, { cause: error });
    throw error;
  }
}
