import picocolors from "picocolors";
import stringWidth from "string-width";
import { describe, expect, test } from "vitest";
import type { BuildEvent } from "lamina";
import { createOutput } from "../src/output.ts";
import { columnsOf, firstThatFits, hangingTable, tableIn, wrappedWords } from "../src/view/columns.ts";
import { failureLines } from "../src/view/failure.ts";
import { liveLines } from "../src/view/live.ts";
import { plainLines } from "../src/view/plain.ts";
import { showBuild } from "../src/view/show.ts";
import { afterEvent, type BuildView, newBuildView } from "../src/view/state.ts";
import { startupLines } from "../src/view/startup.ts";
import { countText, outputLine, plainLine, shownLine, timeText } from "../src/view/text.ts";

const colors = picocolors.createColors(false);
const digest = `sha256:${"0".repeat(64)}`;

const PLANNED: BuildEvent = {
  type: "planned",
  at: 0,
  image: "d",
  layers: [
    { id: "a", operation: "base", status: "hit", bytes: 52_400_000 },
    { id: "b", operation: "pipInstall", status: "hit", bytes: 4_100_000 },
    { id: "c", operation: "runCommands", status: "missing" },
    { id: "d", operation: "env", status: "missing" },
  ],
};
const DETAILS = ["Python 3.13", "requests beautifulsoup4 pandas==2.0.0", "make -C /opt/thing install", "DATA_PATH PYTHONPATH"];

function after(...events: readonly BuildEvent[]): BuildView {
  return events.reduce((view, event) => afterEvent(view, event, event.at), newBuildView("image", DETAILS, 0));
}

function draw(view: BuildView, { columns, rows = 24, now = 3_400 }: { columns: number; rows?: number; now?: number }): string {
  return `\n${liveLines(view, { columns, rows, now, colors }).join("\n")}\n`;
}

const BUILDING = after(
  PLANNED,
  { type: "attempt", at: 1, attempt: "x", pool: "cpu", layers: ["c", "d"], joined: false },
  { type: "layer-started", at: 1_000, layer: "c", attempt: "x" },
  { type: "log", at: 2_000, layer: "c", line: "gcc -O2 -c main.c -o build/main.o -Iinclude -Ivendor/include -Wall", attempt: "x" },
);

describe("the live view", () => {
  test("fits one line a layer into 80 columns, with the last line of output of what is being built", () => {
    expect(draw(BUILDING, { columns: 80 })).toMatchInlineSnapshot(`
      "
      image
      ✓  0 base          Python 3.13                                     hit  52.4 MB
      ✓  1 pipInstall    requests beautifulsoup4 pandas==2.0.0           hit   4.1 MB
      ⠼  2 runCommands   gcc -O2 -c main.c -o build/main.o -Iinclud…    2.4s         
      ·  3 env           DATA_PATH PYTHONPATH                                        
      "
    `);
  });

  test("shows what was asked for beside the last line where there is room", () => {
    expect(draw(BUILDING, { columns: 200 })).toMatchInlineSnapshot(`
      "
      image
      ✓  0 base          Python 3.13                                                                                                                                                             hit  52.4 MB
      ✓  1 pipInstall    requests beautifulsoup4 pandas==2.0.0                                                                                                                                   hit   4.1 MB
      ⠼  2 runCommands   make -C /opt/thing install                                        gcc -O2 -c main.c -o build/main.o -Iinclude -Ivendor/include -Wall                                   2.4s         
      ·  3 env           DATA_PATH PYTHONPATH                                                                                                                                                                
      "
    `);
  });

  test("says how a build ended", () => {
    const built = { type: "layer-built", at: 5_000, seconds: 2.31, attempt: "x" } as const;
    const done = afterEvent(
      afterEvent(BUILDING, { ...built, layer: "c" }, 5_000),
      { type: "done", at: 5_200, image: "d", ref: "r", digest },
      5_200,
    );
    expect(draw(done, { columns: 80, now: 5_200 })).toMatchInlineSnapshot(`
      "
      image
      ✓  0 base          Python 3.13                                     hit  52.4 MB
      ✓  1 pipInstall    requests beautifulsoup4 pandas==2.0.0           hit   4.1 MB
      ✓  2 runCommands   make -C /opt/thing install                     2.3s         
      ✓  3 env           DATA_PATH PYTHONPATH                            0ms         
        done in 5.2s: 2 hit, 2 built
      "
    `);
    const failed = afterEvent(BUILDING, { type: "failed", at: 5_000, error: { code: "STEP_FAILED", message: "", layer: "c" } }, 5_000);
    expect(draw(failed, { columns: 80, now: 5_000 })).toMatchInlineSnapshot(`
      "
      image
      ✓  0 base          Python 3.13                                     hit  52.4 MB
      ✓  1 pipInstall    requests beautifulsoup4 pandas==2.0.0           hit   4.1 MB
      ✗  2 runCommands   make -C /opt/thing install                     4.0s         
      ·  3 env           DATA_PATH PYTHONPATH                                        
        failed after 5.0s
      "
    `);
  });

  test("says in one line that nothing had to be built, where that is on the way to something else", () => {
    const planned: BuildEvent = { ...PLANNED, layers: PLANNED.layers.slice(0, 2) };
    const done = after(planned, { type: "done", at: 80, image: "b", ref: "r", digest });
    const canvas = { columns: 80, rows: 24, now: 80, colors };
    expect(liveLines(done, { ...canvas, brief: true })).toEqual(["✓ image: 2 hit in 80ms"]);
    expect(liveLines(done, canvas).length).toBeGreaterThan(1);
    expect(liveLines(BUILDING, { ...canvas, brief: true }).length).toBeGreaterThan(1);
  });

  test("never writes into the last column, whatever a program prints", () => {
    const line = "\u001b[31m進捗\u001b[0m\t50%\r100% 完了".repeat(9);
    for (const columns of [20, 40, 80, 133, 200]) {
      const view = afterEvent(BUILDING, { type: "log", at: 2_500, layer: "c", line, attempt: "x" }, 2_500);
      for (const drawn of liveLines(view, { columns, rows: 24, now: 3_000, colors })) expect(stringWidth(drawn)).toBeLessThan(columns);
    }
  });

  test("stays within the height of the terminal, and shows what is being built", () => {
    const ids = Array.from({ length: 40 }, (_, index) => `l${index}`);
    const planned = {
      ...PLANNED,
      layers: ids.map((id, index) => ({ id, operation: "env", status: index < 20 ? "hit" : "missing" }) as const),
    };
    const view = after(planned, { type: "layer-started", at: 0, layer: "l20", attempt: "x" });
    const lines = liveLines(view, { columns: 80, rows: 12, now: 0, colors });
    expect(lines.length).toBeLessThan(12);
    expect(lines.filter((line) => line.includes(" 20 env"))).toHaveLength(1);
    expect(lines.at(-1)).toContain("layers after");
  });
});

describe("plain lines", () => {
  test("say a command once when it is all of a layer, and not again when it fails", () => {
    const command = "make -C /opt/thing install";
    const log = (line: string): BuildEvent => ({ type: "log", at: 2_000, layer: "c", line, attempt: "x" });
    const said = (line: string) => plainLines(log(line), after(PLANNED, log(line)), 2_000);
    expect(said(`[1/1] ${command}`)).toEqual([]);
    expect(said("[1/2] make")).toEqual(["[2 runCommands] [1/2] make"]);
    expect(said(`lamina: command 1 of 1: exit status 2: ${command}`)).toEqual(["[2 runCommands] lamina: command 1 of 1: exit status 2"]);
  });

  test("name the layer of each line, in the order of the events", () => {
    const events: BuildEvent[] = [
      PLANNED,
      { type: "layer-started", at: 1_000, layer: "c", attempt: "x" },
      { type: "log", at: 2_000, layer: "c", line: "\u001b[32mok\u001b[0m", attempt: "x" },
      { type: "layer-built", at: 3_000, layer: "c", seconds: 2, attempt: "x" },
      { type: "layer-published", at: 3_100, layer: "c", digest, bytes: 1_200, attempt: "x" },
      { type: "done", at: 3_200, image: "d", ref: "r", digest },
    ];
    let view = newBuildView("image", DETAILS, 0);
    const lines = events.flatMap((event) => {
      view = afterEvent(view, event, event.at);
      return plainLines(event, view, event.at);
    });
    expect(`\n${lines.join("\n")}\n`).toMatchInlineSnapshot(`
      "
      [0 base] Python 3.13, hit, 52.4 MB
      [1 pipInstall] requests beautifulsoup4 pandas==2.0.0, hit, 4.1 MB
      [2 runCommands] make -C /opt/thing install, building
      [2 runCommands] ok
      [2 runCommands] built in 2.0s
      [2 runCommands] published, 1.2 kB
      image: done in 3.2s: 2 hit, 2 built
      "
    `);
  });
});

test("a failure shows layer, command, exit code, the user's line with a mark below its column, and the last lines", () => {
  const info = {
    code: "STEP_FAILED",
    message: "A command of a layer failed.",
    command: "make install",
    exitCode: 2,
    source: { file: "/home/me/image.ts", line: 4, column: 4 },
    lastLines: ["gcc: error: no input files", "make: *** [install] Error 1"],
  } as const;
  const sourceText = 'import { Image } from "lamina";\n\nexport const image = Image.debianSlim()\n  .runCommands("make install")\n';
  const lines = failureLines({ ...info, lastLines: [...info.lastLines] }, { colors, layer: "3 runCommands", sourceText });
  expect(`\n${lines.join("\n")}\n`).toMatchInlineSnapshot(`
    "
    STEP_FAILED: A command of a layer failed.
      layer      3 runCommands
      command    make install
      exit code  2
      at         /home/me/image.ts:4:4
        2 │ 
        3 │ export const image = Image.debianSlim()
      > 4 │   .runCommands("make install")
          │    ^
      last lines
        │ gcc: error: no input files
        │ make: *** [install] Error 1
    "
  `);
});

test("the names of operations are whole where there is room, and lines fit all the same", () => {
  const layers = ["debianSlim", "poetryInstallFromFile", "dockerfileCommands"].map((operation) => ({
    id: operation,
    operation,
    status: "hit" as const,
  }));
  const view = after({ type: "planned", at: 0, image: "x", layers });
  for (const columns of [60, 80, 200]) {
    const drawn = draw(view, { columns });
    expect(drawn).toMatch(/poetryInstallFromFile .*\n.*dockerfileCommands /);
    for (const line of drawn.split("\n")) expect(stringWidth(line)).toBeLessThan(columns);
  }
});

test("a command that the message has is not said again", () => {
  const info = {
    code: "STEP_FAILED" as const,
    message: "runCommands failed: `make install` exited with 2.",
    command: "make  install",
    exitCode: 2,
  };
  expect(failureLines(info, { colors })).toEqual(["STEP_FAILED: runCommands failed: `make install` exited with 2."]);
  const lines = failureLines({ ...info, command: "make install", lastLines: ["[1/2] true", "[2/2] make install", "no rule"] }, { colors });
  expect(lines.slice(1)).toEqual(["  last lines", "    │ [1/2] true", "    │ no rule"]);
});

test("a failure that is wider than the terminal goes on below, between words and within its gutter", () => {
  const info = {
    code: "STEP_FAILED" as const,
    message: "runCommands failed: `make install PREFIX=/usr/local DESTDIR=/opt/thing` exited with 2.",
    lastLines: [`  cause: ${"a word ".repeat(9)}`, "x".repeat(70)],
  };
  const lines = failureLines(info, { colors, columns: 50 });
  expect(`\n${lines.join("\n")}\n`).toMatchInlineSnapshot(`
    "
    STEP_FAILED: runCommands failed: \`make install
      PREFIX=/usr/local DESTDIR=/opt/thing\` exited
      with 2.
      last lines
        │   cause: a word a word a word a word a word
        │ a word a word a word a word
        │ xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
        │ xxxxxxxxxxxxxxxxxxxxxxxxxxx
    "
  `);
  for (const line of lines) expect(stringWidth(line)).toBeLessThan(50);
  expect(failureLines(info, { colors })).toHaveLength(4);
});

test("of a long line that part is quoted which is meant, with the mark below it", () => {
  const column = 120;
  const sourceText = `const a = 1;\n${"x".repeat(column - 1)}.pipInstall("numpy pandas")${"y".repeat(40)}`;
  const source = { file: "/a.ts", line: 2, column };
  for (const columns of [60, 80, 200]) {
    const lines = failureLines({ code: "INVALID_INPUT", message: "No.", source }, { colors, columns, sourceText });
    const [meant = "", mark = ""] = lines.slice(-2);
    expect(meant.indexOf(".pipInstall")).toBe(mark.indexOf("^"));
    expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThan(columns);
  }
});

test("the start of the platform shows each part with its time", () => {
  const lines = startupLines(
    {
      pid: 1,
      startedAt: "",
      since: new Date(0).toISOString(),
      state: "starting",
      parts: [
        { name: "postgres", state: "ready", tookMs: 912 },
        { name: "buildkitd", state: "starting" },
      ],
    },
    { columns: 80, colors, now: 1_500 },
  );
  expect(`\n${lines.join("\n")}\n`).toMatchInlineSnapshot(`
    "
    starting the platform (1.5s)
    ✓ postgres       912ms
    … buildkitd
    "
  `);
});

test("a line of output loses what moves the cursor, and keeps what was shown last", () => {
  expect(plainLine("\u001b[2K10%\r 55%\r100% done\u001b[0m")).toBe("100% done");
  expect(plainLine("a\tb\u0007")).toBe("a  b");
});

test("what is counted has its plural, and a time is that of the reader's clock", () => {
  expect([0, 1, 2].map((count) => countText(count, "file"))).toEqual(["0 files", "1 file", "2 files"]);
  const local = new Date(2026, 10, 26, 7, 5, 9);
  expect(timeText(local.toISOString())).toBe("2026-11-26 07:05:09");
});

test("of the tables for a terminal that is taken which fits", () => {
  const wide = "wide".repeat(20);
  const tables = [[[wide]], [["narrow", "last"]]];
  expect(firstThatFits(tables, 80)).toEqual([wide]);
  expect(firstThatFits(tables, 79)).toEqual(["narrow  last"]);
  expect(firstThatFits(tables, undefined)).toEqual([wide]);
  expect(firstThatFits(tables, 11)).toEqual(["narrow", "  last"]);
});

test("the stop of the platform has no time of its own", () => {
  const record = { pid: 1, startedAt: "", since: new Date(0).toISOString(), state: "stopping", parts: [] } as const;
  expect(startupLines({ ...record, parts: [] }, { columns: 80, colors, now: 1_500 })).toEqual(["stopping the platform …"]);
});

test("a build that waits where no builder of its pool has been heard of says so", () => {
  const waiting = (builders: number) =>
    after(PLANNED, { type: "attempt", at: 1, attempt: "x", pool: "cpu", layers: ["c"], joined: false, builders });
  expect(waiting(0).activity).toBe("waiting: no builder of pool cpu has been heard of");
  expect(waiting(1).activity).toBe("waiting for a builder (pool cpu)");
});

// oxlint-disable-next-line no-control-regex -- none of these may be shown
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
const HOSTILE = "a\u001b[31mb\u001b]0;title\u0007\u009b2Jc\u202ed\u0000\re\nf 進捗 🎉";

test("nothing that a terminal would act on is shown of names, paths, commands, messages and output, with colours off", () => {
  const planned: BuildEvent = { ...PLANNED, layers: [{ id: "c", operation: "runCommands", status: "missing" }] };
  const events: BuildEvent[] = [
    planned,
    { type: "preparing", at: 0, attempt: "x", what: HOSTILE },
    { type: "layer-started", at: 1_000, layer: "c", attempt: "x" },
    { type: "log", at: 2_000, layer: "c", line: HOSTILE, attempt: "x" },
  ];
  let view = newBuildView(HOSTILE, [HOSTILE], 0);
  for (const event of events) {
    view = afterEvent(view, event, event.at);
    const lines = [...plainLines(event, view, event.at), ...liveLines(view, { columns: 80, rows: 24, now: 0, colors })];
    for (const line of lines) {
      expect(line).not.toMatch(CONTROL);
      expect(line).not.toContain("\n");
    }
  }
  const source = { file: HOSTILE, line: 1, column: 1 };
  const info = { code: "STEP_FAILED" as const, message: HOSTILE, command: HOSTILE, source, lastLines: [HOSTILE] };
  for (const line of failureLines(info, { colors, columns: 80, sourceText: HOSTILE })) {
    expect(line).not.toMatch(CONTROL);
    expect(line).not.toContain("\n");
  }
  for (const line of columnsOf([
    ["NAME", "PATH"],
    [HOSTILE, HOSTILE],
  ]))
    expect(line).not.toMatch(CONTROL);
});

test("the code of a failure is in colour, and its message is not taken for one", () => {
  const painted = picocolors.createColors(true);
  const [first = ""] = failureLines({ code: "INVALID_INPUT", message: "no \u001b[2J" }, { colors: painted, columns: 80 });
  expect(first).toBe(`${painted.red(painted.bold("INVALID_INPUT:"))} no \\u001b[2J`);
});

test("a last column that is too wide goes below its row", () => {
  const rows = [
    ["APP", "FUNCTIONS"],
    ["a", "one two three four"],
  ];
  expect(tableIn(rows, 40)).toEqual(columnsOf(rows));
  expect(tableIn(rows, 15)).toEqual(["APP  FUNCTIONS", "a", "  one two", "  three four"]);
  expect(tableIn([...rows, ["b", "five"]], 15).at(-1)).toBe("b    five");
});

test("a last column with room goes on below itself", () => {
  const rows = [
    ["0", "base", "Python 3.13"],
    ["1", "pipInstall", "numpy pandas scikit-learn transformers"],
  ];
  expect(hangingTable(rows, 41)).toEqual([
    "0  base        Python 3.13",
    "1  pipInstall  numpy pandas scikit-learn",
    "               transformers",
  ]);
  expect(hangingTable(rows, undefined)).toEqual(columnsOf(rows));
  for (const columns of [20, 40, 80])
    for (const line of hangingTable(rows, columns)) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
});

test("a sentence is broken between words, as far in as it began, and a word that may be copied stays whole", () => {
  const reference = `host/image@sha256:${"0".repeat(64)}`;
  expect(wrappedWords(`The platform is up.\n  from ${reference}`, 12)).toBe(`The platform\nis up.\n  from\n  ${reference}`);
});

test("the stack of an exception does not say its message again", () => {
  const info = { code: "CALL_FAILED" as const, message: "TypeError: no\nmore", lastLines: ["TypeError: no", "more", "    at app.ts:1:2"] };
  expect(failureLines(info, { colors }).slice(2)).toEqual(["  stack", "    │     at app.ts:1:2"]);
  const lastLines = ["Traceback (most recent call last):", '  File "app.py", line 1, in f', "TypeError: no", "more"];
  expect(failureLines({ ...info, lastLines }, { colors }).slice(2)).toEqual([
    "  stack",
    "    │ Traceback (most recent call last):",
    '    │   File "app.py", line 1, in f',
  ]);
});

test("the stack of what a function could not be set up for does not say its message again", () => {
  const lastLines = ['  File "app.py", line 1, in up', "RuntimeError: no set-up"];
  const info = { code: "FUNCTION_BROKEN" as const, message: "The function cannot be set up: RuntimeError: no set-up", lastLines };
  expect(failureLines(info, { colors }).slice(1)).toEqual(["  stack", '    │   File "app.py", line 1, in up']);
});

test("a name or a path shows what is not to be printed by its escape", () => {
  expect(shownLine("/a\nb\u001b[2J\u009bc\u202e 進捗 🎉")).toBe("/a\\nb\\u001b[2J\\u009bc\\u202e 進捗 🎉");
});

test("what functions write keeps its tabs, and its colours only on a terminal", () => {
  const line = "\u001b[1;31mred\u001b]0;t\u0007\tx\u001b[2J";
  expect(outputLine(line, { colored: false })).toBe("red\tx");
  expect(outputLine(line, { colored: true })).toBe("\u001b[1;31mred\tx\u001b[0m");
  expect(outputLine("plain\ttext", { colored: true })).toBe("plain\ttext");
});

test("in a log a long command and a long line of a file are cut, since they are shown on the way", () => {
  const detail = "make ".repeat(100);
  const view = afterEvent(
    newBuildView("image", [detail], 0),
    { ...PLANNED, layers: [{ id: "c", operation: "runCommands", status: "hit" }] },
    0,
  );
  expect(plainLines(PLANNED, view, 0).every((line) => stringWidth(line) < 160)).toBe(true);
  const source = { file: "/a.ts", line: 1, column: 1 };
  const lines = failureLines({ code: "INVALID_INPUT", message: "No.", source }, { colors, sourceText: "x".repeat(5_000) });
  expect(lines.every((line) => stringWidth(line) < 200)).toBe(true);
});

test("a log has a line of what this process did for a build, none of how far it is, and none for layers that all are there", async () => {
  const lines: string[] = [];
  const output = { ...createOutput({ json: false, env: { CI: "1" } }), line: (text: string) => void lines.push(text) };
  using display = await showBuild({ output, name: "image", brief: true, details: DETAILS });
  display.activity("sending files: 1 MB of 2 MB");
  display.said("sent 2 MB of local files");
  display.event({ ...PLANNED, layers: PLANNED.layers.slice(0, 2) });
  expect(lines).toEqual(["image: sent 2 MB of local files"]);
});
