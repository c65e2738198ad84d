/** The command line at a terminal, as somebody sits at it: begun by a shell, which says afterwards how it ended and how it left the terminal. */
import { processes, treeOf } from "@lamina/testkit";
import { spawn } from "@lydell/node-pty";
import { commandOfCli, type CliOptions, environmentOf } from "./cli.ts";

export interface SeatOptions extends Pick<CliOptions, "env" | "cwd"> {
  readonly columns: number;
  readonly rows: number;
}

export interface Seat {
  type(text: string): void;
  resize(columns: number, rows: number): void;
  /** Resolves when a text that fits comes, or has come since the last one that was waited for. Rejects when it can't come any more. */
  see(text: string | RegExp): Promise<RegExpExecArray>;
  /** Sends a signal to the command line. */
  signal(name: NodeJS.Signals): Promise<void>;
  /** Resolves to its exit code, and to the settings that it left, when it has ended. */
  readonly ended: Promise<{ readonly exitCode: number; readonly settings: readonly string[]; readonly shown: string }>;
}

// Ctrl-C that is typed when the command has ended is for nobody. The command has the signal as ever, since it does not inherit a handler.
const AFTERWARDS = 'trap : INT; "$@"; code=$?; trap "" INT; printf "\\nended with %s, left %s.\\n" "$code" "$(stty -a | tr "\\n;" "  ")"';

const SPECIAL = /[.*+?^${}()|[\]\\]/g;

export function sitAtCli(args: readonly string[], { env = {}, cwd, columns, rows }: SeatOptions): Seat {
  const terminal = spawn("sh", ["-c", AFTERWARDS, "sh", ...commandOfCli(args)], {
    name: "xterm-256color",
    cols: columns,
    rows,
    env: environmentOf(env),
    ...(cwd !== undefined && { cwd }),
  });
  let shown = "";
  let from = 0;
  let isOver = false;
  let look = (): void => undefined;
  const { promise: ended, resolve, reject } = Promise.withResolvers<Awaited<Seat["ended"]>>();
  ended.catch(() => undefined);
  terminal.onData((text) => {
    shown += text;
    look();
  });
  terminal.onExit(() => {
    isOver = true;
    const [, code, settings = ""] = /\nended with (\d+), left (.*)\.\r?\n/.exec(shown) ?? [];
    if (code === undefined) reject(new Error(`The terminal was closed:\n${shown}`));
    else resolve({ exitCode: Number(code), settings: settings.split(/\s+/), shown });
    look();
  });
  return {
    ended,
    async signal(name) {
      const cli = treeOf(terminal.pid, await processes()).find(({ pid, name: program }) => pid !== terminal.pid && program !== "sh");
      if (cli === undefined) throw new Error(`The command line does not run:\n${shown}`);
      process.kill(cli.pid, name);
    },
    type: (text) => terminal.write(text),
    resize: (wide, high) => terminal.resize(wide, high),
    see: (text) =>
      new Promise((found, missing) => {
        const pattern = typeof text === "string" ? new RegExp(text.replaceAll(SPECIAL, String.raw`\$&`)) : text;
        look = () => {
          const match = pattern.exec(shown.slice(from));
          if (match !== null) {
            from += match.index + match[0].length;
            look = () => undefined;
            found(match);
          } else if (isOver) missing(new Error(`${String(pattern)} was not seen:\n${shown}`));
        };
        look();
      }),
  };
}
