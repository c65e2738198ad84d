/** The start and the stop of the platform as they go on. */
import { createLogUpdate } from "log-update";
import type { Colors, Output } from "../output.ts";
import type { SupervisorRecord } from "../platform/files.ts";
import { cell, fit } from "./columns.ts";
import { durationText } from "./text.ts";

const NAME_WIDTH = 14;

export interface StartupDisplay extends Disposable {
  progress(record: SupervisorRecord | undefined): void;
}

/** Redrawn on a terminal; elsewhere a line for each part that is ready. */
export function showStartup(output: Output): StartupDisplay {
  return output.isTerminal && !output.json ? liveStartup(output) : plainStartup(output);
}

/** One line a part; "starting" takes its time from when the supervisor began. */
export function startupLines(
  record: SupervisorRecord | undefined,
  { columns, colors, now }: { readonly columns: number; readonly colors: Colors; readonly now: number },
): string[] {
  if (record === undefined) return [colors.dim("starting the platform …")];
  if (record.state === "stopping") return [colors.dim("stopping the platform …")];
  const title = `starting the platform (${durationText(now - Date.parse(record.since))})`;
  const parts = record.parts.map(({ name, state, tookMs }) => {
    const mark = state === "ready" ? colors.green("✓") : colors.magenta("…");
    return `${mark} ${fit(`${cell(name, NAME_WIDTH)} ${tookMs === undefined ? "" : durationText(tookMs)}`.trimEnd(), columns - 3)}`;
  });
  return [colors.dim(fit(title, columns - 1)), ...parts];
}

function liveStartup(output: Output): StartupDisplay {
  const update = createLogUpdate(process.stderr);
  return {
    progress(record) {
      update(startupLines(record, { columns: process.stderr.columns ?? 80, colors: output.colors, now: Date.now() }).join("\n"));
    },
    [Symbol.dispose]() {
      update.done();
    },
  };
}

function plainStartup(output: Output): StartupDisplay {
  const said = new Set<string>();
  const sayOnce = (text: string) => {
    if (!said.has(text)) output.note(text);
    said.add(text);
  };
  return {
    progress(record) {
      if (record?.state === "stopping") return sayOnce("stopping the platform");
      sayOnce("starting the platform");
      for (const { name, tookMs } of record?.parts ?? [])
        if (tookMs !== undefined) sayOnce(`${name} is ready after ${durationText(tookMs)}`);
    },
    [Symbol.dispose]() {},
  };
}
