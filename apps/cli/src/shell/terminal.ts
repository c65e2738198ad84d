/** The terminal that the user sits at, while what is typed goes to another one. */
import { spawnSync } from "node:child_process";
import type { OpenShellInput, TerminalSize } from "lamina";

export interface Terminal extends Disposable {
  /** As a shell is asked for with it. */
  readonly wanted: NonNullable<OpenShellInput["terminal"]>;
  /** From now on every key goes on, those that else mean something here too. */
  enter(): void;
  onResize(callback: (size: TerminalSize) => void): void;
  /** To be told when the program at the other end could not do so itself: what it may have set is taken back. */
  reset(): void;
}

/** Where nobody knows, as over a serial line. */
const DEFAULT = { columns: 80, rows: 24, type: "xterm" };
const TYPE = /^[\w.+-]{1,64}$/;
/** The usual screen, a cursor that is seen, no reports of the mouse nor marks around what is pasted, plain text. */
const RESET = "\u001b[?1047l\u001b[?25h\u001b[?1000l\u001b[?1002l\u001b[?1003l\u001b[?1006l\u001b[?2004l\u001b[?1l\u001b>\u001b[0m\r\n";

/** The terminal; undefined where input or output is none. Disposing of it gives it back as it was. */
export function openTerminal(type: string | undefined): Terminal | undefined {
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY) return undefined;
  const size = (): TerminalSize => ({ columns: stdout.columns || DEFAULT.columns, rows: stdout.rows || DEFAULT.rows });
  let entered = false;
  const toRaw = (): void => {
    stdin.setRawMode(true);
    // Node lets the terminal add a return to each line; what comes has those that it needs.
    spawnSync("stty", ["-opost"], { stdio: ["inherit", "ignore", "ignore"] });
  };
  // Whoever stopped this process has set the terminal for itself.
  const onContinue = (): void => {
    toRaw();
    stdout.emit("resize");
  };
  return {
    wanted: { ...size(), type: type !== undefined && TYPE.test(type) ? type : DEFAULT.type },
    enter() {
      entered = true;
      toRaw();
      process.on("SIGCONT", onContinue);
    },
    onResize: (callback) => void stdout.on("resize", () => callback(size())),
    reset() {
      if (entered) stdout.write(RESET);
    },
    [Symbol.dispose]() {
      process.off("SIGCONT", onContinue);
      if (entered) stdin.setRawMode(false);
    },
  };
}
