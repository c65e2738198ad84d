/** What goes out: results on stdout, all that is said on the way on stderr. */
import { isatty } from "node:tty";
import picocolors from "picocolors";

export type Colors = ReturnType<typeof picocolors.createColors>;

export interface Output {
  /** One event or object a line on stdout instead of text for people. */
  readonly json: boolean;
  /** Of stderr. */
  readonly colors: Colors;
  /** Where stderr is a terminal that can be drawn on. */
  readonly isTerminal: boolean;
  /** The width of stdout, where it is a terminal. */
  readonly columns: number | undefined;
  /** A result, for people or scripts. */
  result(text: string): void;
  /** What a command comes to: the event with JSON, else the text. */
  answer(event: object, text: string): void;
  /** One line of JSON on stdout. */
  event(value: object): void;
  /** Something on the way to the result. Nothing with JSON. */
  note(text: string): void;
}

export interface OutputOptions {
  readonly json: boolean;
  /** TERM, CI, NO_COLOR and FORCE_COLOR are read. */
  readonly env: NodeJS.ProcessEnv;
}

export function createOutput({ json, env }: OutputOptions): Output {
  const { stdout, stderr } = process;
  const isTerminal = isatty(stderr.fd) && env["TERM"] !== "dumb";
  // Some give a build a terminal and keep what is written as a log, where each drawing stays.
  const isLog = env["CI"] !== undefined && env["CI"] !== "" && env["CI"] !== "false";
  const result = (text: string) => void stdout.write(`${text}\n`);
  const event = (value: object) => result(JSON.stringify(value));
  return {
    json,
    colors: picocolors.createColors(wantsColors(env, isTerminal)),
    isTerminal: isTerminal && !isLog,
    columns: stdout.isTTY ? stdout.columns : undefined,
    result,
    event,
    answer: (value, text) => (json ? event(value) : result(text)),
    note: (text) => {
      if (!json) stderr.write(`${text}\n`);
    },
  };
}

/** NO_COLOR, then FORCE_COLOR, then whether it is a terminal. */
function wantsColors(env: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  if (env["NO_COLOR"]) return false;
  const force = env["FORCE_COLOR"];
  if (force !== undefined && force !== "") return force !== "0" && force !== "false";
  return isTerminal;
}
