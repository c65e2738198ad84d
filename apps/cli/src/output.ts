/** What goes out: results on stdout, all that is said on the way on stderr. */
import { isatty } from "node:tty";
import picocolors from "picocolors";

export type Colors = ReturnType<typeof picocolors.createColors>;

export interface Output {
  /** One event or object a line on stdout instead of text for people. */
  readonly json: boolean;
  /** Of stderr. */
  readonly colors: Colors;
  /** Of stdout. */
  readonly resultColors: Colors;
  /** Where stderr is a terminal that can be drawn on. */
  readonly isTerminal: boolean;
  /** The width of stdout, where it is a terminal. */
  readonly columns: number | undefined;
  /** The width of stderr, where it is a terminal that is not kept as a log. */
  readonly noteColumns: number | undefined;
  /** A result, for people or scripts, as it is. */
  result(text: string): void;
  /** A sentence of the result, on a terminal broken between words. */
  say(text: string): void;
  /** What a command comes to: the event with JSON, else the text as a sentence. */
  answer(event: object, text: string): void;
  /** One line of JSON on stdout. */
  event(value: object): void;
  /** Something on the way to the result, on a terminal broken between words. Nothing with JSON. */
  note(text: string): void;
  /** The same as it is: what programs write, and what is to be copied. */
  line(text: string): void;
  /** Begins at the left once Ctrl-C was typed, which a terminal shows where it was. */
  afterInterrupt(): void;
}

export interface OutputOptions {
  readonly json: boolean;
  /** TERM, CI, NO_COLOR and FORCE_COLOR are read. */
  readonly env: NodeJS.ProcessEnv;
  /** A text in lines of a width. It takes a while to load, so that what says nothing long does without. */
  readonly wrap?: (text: string, columns: number) => string;
}

const NOT_WRAPPED = (text: string) => text;

export function createOutput({ json, env, wrap = NOT_WRAPPED }: OutputOptions): Output {
  const { stdout, stderr } = process;
  const canDraw = ({ fd }: { readonly fd: number }) => isatty(fd) && env["TERM"] !== "dumb";
  const isTerminal = canDraw(stderr);
  // Some give a build a terminal and keep what is written as a log, where each drawing stays.
  const isLog = env["CI"] !== undefined && env["CI"] !== "" && env["CI"] !== "false";
  const result = (text: string) => void stdout.write(`${text}\n`);
  const event = (value: object) => result(JSON.stringify(value));
  const line = (text: string) => void (json || stderr.write(`${text}\n`));
  const fitted = (text: string, columns: number | undefined) => (columns === undefined ? text : wrap(text, columns));
  const columns = stdout.isTTY ? stdout.columns : undefined;
  const say = (text: string) => result(fitted(text, columns));
  const noteColumns = stderr.isTTY && !isLog ? stderr.columns : undefined;
  return {
    json,
    colors: picocolors.createColors(wantsColors(env, isTerminal)),
    resultColors: picocolors.createColors(wantsColors(env, canDraw(stdout))),
    isTerminal: isTerminal && !isLog,
    columns,
    noteColumns,
    result,
    event,
    say,
    answer: (value, text) => (json ? event(value) : say(text)),
    note: (text) => line(fitted(text, noteColumns)),
    line,
    afterInterrupt: () => void (stderr.isTTY && !json && stderr.write("\n")),
  };
}

/** NO_COLOR, then FORCE_COLOR, then whether it is a terminal. */
function wantsColors(env: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  if (env["NO_COLOR"]) return false;
  const force = env["FORCE_COLOR"];
  if (force !== undefined && force !== "") return force !== "0" && force !== "false";
  return isTerminal;
}
