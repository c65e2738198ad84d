/** What shows a build as it goes on. */
import type { BuildEvent } from "lamina";
import type { Output } from "../output.ts";
import type { BuildView } from "./state.ts";

export interface BuildDisplay extends Disposable, Omit<ShownState, "rest"> {
  /** The same where it is worth a line of a log. */
  said(text: string): void;
}

/** What is shown. */
export interface ShownState {
  /** An event of the build's feed. */
  event(event: BuildEvent): void;
  /** What this process is doing for the build, where it is drawn. */
  activity(text: string): void;
  /** What is known by now. */
  view(): BuildView;
  /** Nothing goes on any more. */
  rest(): void;
}

export interface DisplayOptions {
  readonly output: Output;
  /** The image's name. */
  readonly name: string;
  /** It is on the way to something else: where nothing has to be built, one line says so. */
  readonly brief: boolean;
  /** What each layer is to be, the base first. */
  readonly details: readonly string[];
}
