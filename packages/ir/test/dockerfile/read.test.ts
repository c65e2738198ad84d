/** How instructions are read; that BuildKit reads them in the same way is shown in `lowering/dockerfile-commands.test.ts`. */
import { describe, expect, test } from "vitest";
import { readInstructions } from "../../src/dockerfile/read.ts";

/** Instructions in short: keyword, flags, the rest as text or list, heredocs. */
function read(...commands: string[]) {
  return readInstructions(commands).map(({ keyword, flags, rest, json, heredocs }) => [
    keyword,
    ...flags.map(({ name, value }) => `--${name}=${value}`),
    json ?? rest,
    ...heredocs.map(({ delimiter, content }) => ({ [delimiter]: content })),
  ]);
}

test.each<{ what: string; commands: string[]; read: unknown[] }>([
  {
    what: "several in a command",
    commands: ["run a\n\n  Env A=b"],
    read: [
      ["RUN", "a"],
      ["ENV", "A=b"],
    ],
  },
  { what: "one that goes on", commands: ["RUN a \\\n  b \\ \t\n c"], read: [["RUN", "a   b  c"]] },
  { what: "comments and empty lines within one that goes on", commands: ["# x\nRUN a \\\n# b\n\n  c"], read: [["RUN", "a   c"]] },
  {
    what: "two backslashes, which end a line",
    commands: ["RUN a\\\\\nENV A=b"],
    read: [
      ["RUN", "a\\\\"],
      ["ENV", "A=b"],
    ],
  },
  { what: "a backslash alone on its line", commands: ["\\\nRUN a"], read: [["RUN", "a"]] },
  { what: "lines that end with a return", commands: ["RUN a \\\r\n b\r\n"], read: [["RUN", "a  b"]] },
  {
    what: "flags, with quotes and escapes",
    commands: [`RUN --mount=type=cache,target="/a b" --network=none\t--x='q\\'y' -- echo --z`],
    read: [["RUN", "--mount=type=cache,target=/a b", "--network=none", "--x=q'y", "echo --z"]],
  },
  { what: "a flag without a value", commands: ["COPY --link a /b"], read: [["COPY", "--link=undefined", "a /b"]] },
  { what: "the list form", commands: ['CMD ["a", "b c\\n"]'], read: [["CMD", ["a", "b c\n"]]] },
  {
    what: "what only begins like a list",
    commands: ["RUN [ -f /x ] && y", "RUN ['a']"],
    read: [
      ["RUN", "[ -f /x ] && y"],
      ["RUN", "['a']"],
    ],
  },
  {
    what: "heredocs, one after the other",
    commands: ['RUN <<A cat - <<-"B" > x\n1\nA \nA\n\t2\n\tB\nENV C=d'],
    read: [
      ["RUN", '<<A cat - <<-"B" > x', { A: "1\nA \n" }, { B: "\t2\n" }],
      ["ENV", "C=d"],
    ],
  },
  {
    what: "what looks like an instruction, a comment or a backslash in a heredoc",
    commands: ["COPY <<'EOF' /x\nFROM y\n# escape=`\na \\\nEOF"],
    read: [["COPY", "<<'EOF' /x", { EOF: "FROM y\n# escape=`\na \\\n" }]],
  },
  {
    what: "a heredoc after space, and with a descriptor",
    commands: ["RUN cat 3<< EOF\nx\nEOF"],
    read: [["RUN", "cat 3<< EOF", { EOF: "x\n" }]],
  },
  {
    what: "no heredoc where there is none",
    commands: ['RUN echo "a <<b" \\<<c <<<d e<<f', "ENV A=<<b", 'COPY ["<<x", "/y"]', "RUN echo it's <<x"],
    read: [
      ["RUN", 'echo "a <<b" \\<<c <<<d e<<f'],
      ["ENV", "A=<<b"],
      ["COPY", ["<<x", "/y"]],
      ["RUN", "echo it's <<x"],
    ],
  },
  {
    what: "a line of shifts before an open quote, however long",
    commands: [`RUN ${"<".repeat(200)}'`],
    read: [["RUN", `${"<".repeat(200)}'`]],
  },
])("reads $what", ({ commands, read: expected }) => {
  expect(read(...commands)).toEqual(expected);
});

describe("refuses, and says where", () => {
  test.each<{ what: string; commands: string[]; place: { command: number; line: number }; message: RegExp }>([
    {
      what: "a command without an instruction",
      commands: ["RUN a", "# b\n\n"],
      place: { command: 2, line: 1 },
      message: /holds no instruction/,
    },
    {
      what: "a backslash at the end",
      commands: ["RUN a\nENV \\\n A=b \\"],
      place: { command: 1, line: 3 },
      message: /backslash at the end/,
    },
    { what: "one before nothing but comments", commands: ["RUN a \\\n# b\n"], place: { command: 1, line: 1 }, message: /nothing follows/ },
    {
      what: "an open heredoc",
      commands: ["RUN a", "ENV A=b\nRUN <<EOF\nEOF x\n"],
      place: { command: 2, line: 2 },
      message: /heredoc <<EOF is open/,
    },
    {
      what: "a shift that is read as a heredoc",
      commands: ["RUN echo $((1 << 2))"],
      place: { command: 1, line: 1 },
      message: /heredoc <<2\)\) is open/,
    },
    {
      what: "a directive",
      commands: ["RUN a\n#  Escape = `"],
      place: { command: 1, line: 2 },
      message: /"# Escape=" holds for a whole Dockerfile/,
    },
    {
      what: "a directive among lines that go on",
      commands: ["RUN a \\\n# syntax=x\n b"],
      place: { command: 1, line: 2 },
      message: /# syntax=/,
    },
  ])("$what", ({ commands, place, message }) => {
    expect(() => readInstructions(commands)).toThrow(
      expect.objectContaining({ name: "FragmentError", place, message: expect.stringMatching(message) }),
    );
  });
});
