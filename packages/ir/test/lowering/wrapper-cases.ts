/** Commands that wrappers get wrong, and what has to come of them. */

export interface WrapperCase {
  readonly name: string;
  readonly commands: readonly string[];
  /** The exit status, or just that it fails; `strict` where a shell with `-euo pipefail` differs. */
  readonly status: Status;
  readonly strict?: Status;
  /** The command that is blamed, counted from 1; undefined where nobody can tell. */
  readonly blamed?: number | undefined;
  /** Lines of the output, without those of the wrapper. */
  readonly printed?: readonly string[];
}

export type Status = number | "fails";

export const wrapperCases: readonly WrapperCase[] = [
  {
    name: "cd and export hold",
    commands: ["mkdir a && cd a && export A=1", 'echo "${PWD##*/}-$A"', "env | grep ^A="],
    status: 0,
    printed: ["a-1", "A=1"],
  },
  {
    name: "an and-list that fails, which set -e would pass over",
    commands: ["cd /missing && true", "echo never"],
    status: "fails",
    blamed: 1,
  },
  { name: "the middle one fails", commands: ["true", "false", "echo never"], status: 1, blamed: 2, printed: [] },
  { name: "the last one fails", commands: ["true", "sh -c 'exit 42'"], status: 42, blamed: 2 },
  { name: "a command that is not there", commands: ["lamina-no-such-command"], status: 127, blamed: 1 },
  { name: "exit with a status", commands: ["true", "exit 7", "echo never"], status: 7, blamed: 2, printed: [] },
  {
    name: "exit 0 before the last",
    commands: ["exit 0", "echo never"],
    status: 1,
    blamed: 1,
    printed: ["lamina: the shell ended before command 2 of 2"],
  },
  { name: "exit 0 in the last", commands: ["echo x", "exit 0"], status: 0, printed: ["x"] },
  { name: "exec before the last", commands: ["exec true", "echo never"], status: 1, blamed: 1 },
  { name: "exec in the last", commands: ["true", "exec echo x"], status: 0, printed: ["x"] },
  { name: "exec of what fails", commands: ["exec false", "echo never"], status: 1, blamed: 1 },
  {
    name: "a backslash at the end, which alone is printed too",
    commands: ["echo one \\", "echo two"],
    status: 0,
    printed: ["one \\", "two"],
  },
  { name: "an open single quote", commands: ["echo 'one", "echo two'"], status: "fails", blamed: 1, printed: undefined },
  { name: "an open double quote", commands: ['echo "one', "echo two"], status: "fails", blamed: 1 },
  { name: "an open parenthesis", commands: ["( true", "true )"], status: "fails", blamed: 1 },
  { name: "an open if", commands: ["if true; then", "fi"], status: "fails", blamed: 1 },
  { name: "a parenthesis too many", commands: ["true", "echo x )"], status: "fails", blamed: 2 },
  { name: "an open heredoc", commands: ["cat <<EOF\nx", "echo two"], status: 0 },
  { name: "comments", commands: ["echo one # &&", "# nothing", "echo two"], status: 0, printed: ["one", "two"] },
  { name: "empty commands", commands: ["", "\n", "  ", "echo x"], status: 0, printed: ["x"] },
  { name: "several lines", commands: ["for n in 1 2\ndo\n  echo $n\ndone", "echo 3"], status: 0, printed: ["1", "2", "3"] },
  { name: "a heredoc", commands: ["cat <<'EOF' >f\na $b\nEOF", "cat f"], status: 0, printed: ["a $b"] },
  {
    name: "quotes, percent signs and backslashes",
    commands: [`printf '%s\\n' 'it'\\''s "100%" \\n'`],
    status: 0,
    printed: [`it's "100%" \\n`],
  },
  { name: "the user's set -e", commands: ["set -e", "false; echo never", "echo never"], status: 1, blamed: 2, printed: [] },
  { name: "the user's set -e with a list that may fail", commands: ["set -e", "false || echo x"], status: 0, printed: ["x"] },
  { name: "the user's set +e", commands: ["set +e", "false; echo x"], status: 0, printed: ["x"] },
  { name: "what fails inside a list of commands", commands: ["false; echo x"], status: 0, strict: 1, printed: undefined },
  { name: "what fails inside a pipe", commands: ["false | true"], status: 0, strict: 1 },
  { name: "the user's set -u", commands: ["set -u", 'echo "$LAMINA_TEST_UNSET"', "echo never"], status: "fails", blamed: 2 },
  { name: "an unset variable", commands: ['echo "x$LAMINA_TEST_UNSET"'], status: 0, strict: "fails" },
  { name: "the user's set -x", commands: ["set -x", "echo x"], status: 0, printed: undefined },
  { name: "the user's set -f", commands: ["set -f", "echo *"], status: 0, printed: ["*"] },
  { name: "output that goes to a file", commands: ["exec >log", "echo x", "grep x log >&2"], status: 0 },
  { name: "output that goes to a file, and a failure", commands: ["exec >log 2>&1", "false"], status: 1, blamed: 2 },
  { name: "a file that is kept open", commands: ["exec 3>three", "echo x >&3", "cat three"], status: 0, printed: ["x"] },
  { name: "a trap at the end", commands: ["trap 'echo bye' EXIT", "echo x"], status: 0, printed: ["x", "bye"] },
  { name: "a trap at a failing end", commands: ["trap 'echo bye' EXIT", "false", "echo never"], status: 1, blamed: 2, printed: ["bye"] },
  { name: "a function", commands: ["f() { echo f-$1; }", "f x"], status: 0, printed: ["f-x"] },
  { name: "positional parameters", commands: ["set -- a b", 'echo "$# $2"'], status: 0, printed: ["2 b"] },
  { name: "a break in a loop", commands: ["for n in 1 2; do break; done", "echo $n"], status: 0, printed: ["1"] },
  { name: "another IFS", commands: ["IFS=1", "x=a1b; set -- $x; echo $#", "false"], status: 1, blamed: 3, printed: ["2"] },
  { name: "no PATH", commands: ["PATH=/nowhere", "echo x", "false_"], status: 127, blamed: 3 },
  { name: "another umask", commands: ["umask 077", "touch f", "ls -l f | cut -c1-10"], status: 0, printed: ["-rw-------"] },
  { name: "a file that is sourced", commands: ["echo Y=2 >e", ". ./e", "echo $Y"], status: 0, printed: ["2"] },
  { name: "an assignment from what fails", commands: ["x=$(false)", "echo never"], status: 1, blamed: 1, printed: [] },
  { name: "a negation", commands: ["! false", "! true"], status: 1, blamed: 2 },
  { name: "a background job", commands: ["echo x >f & wait", "cat f"], status: 0, printed: ["x"] },
  { name: "standard input, which is empty", commands: ["cat", "echo x"], status: 0, printed: ["x"] },
  { name: "standard error, in its place", commands: ["echo one; echo two >&2; echo three"], status: 0, printed: ["one", "two", "three"] },
  { name: "the shell is killed", commands: ["kill -9 $$"], status: 137, blamed: undefined },
  {
    name: "a hundred commands",
    commands: [...Array.from({ length: 99 }, () => "n=$((${n:-0} + 1))"), "echo $n"],
    status: 0,
    printed: ["99"],
  },
];
