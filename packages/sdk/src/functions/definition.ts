/** What a function or a class of an app is, as data: any copy of the SDK can read it. */
import type { SourceLocation } from "@lamina/api";
import type { Image } from "../image.ts";
import type { Secret } from "../secret.ts";
import type { Limits } from "./options.ts";

/** Under this key any copy of the SDK knows a function of an app. */
export const FUNCTION: unique symbol = Symbol.for("lamina.function");
/** Under this key any copy of the SDK finds the functions of an app. */
export const APP: unique symbol = Symbol.for("lamina.app");

export interface FunctionDefinition {
  readonly app: AppState;
  readonly name: string;
  readonly image: Image;
  readonly secrets: readonly Secret[];
  readonly limits: Limits;
  /** Where it was made. */
  readonly source: SourceLocation | null;
  readonly code: TypeScriptCode | PythonCode;
  /** Those of a class. */
  readonly methods?: readonly string[] | undefined;
}

export interface TypeScriptCode {
  readonly language: "typescript";
  /** What a container loads to have it, where that is not the file in which it was made; other copies of the SDK may not tell it. */
  readonly file?: string | undefined;
  /** Its name is known from the text of its file alone. */
  readonly isNamedByVariable: boolean;
  /** The function or the class itself, from which the names of its parameters are read; other copies of the SDK may not tell it. */
  readonly handler?: unknown;
}

export interface PythonCode {
  readonly language: "python";
  /** Where the module is looked for, and where sources beside it are. */
  readonly directory: string;
  readonly module: string;
  readonly name: string;
}

export interface AppState {
  readonly name: string;
  readonly functions: FunctionDefinition[];
  /** The id of the app for the moment that calls go to, while there is one. */
  session: string | undefined;
}
