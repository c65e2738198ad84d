/** TOML as people write it. */
import type { ErrorReason } from "@lamina/api";
import { parse, TomlError, type TomlTable } from "smol-toml";
import { Unsupported } from "./walk.ts";

export interface TomlSource {
  /** The file, as it was given. */
  readonly given: string;
  /** What it means that it is not TOML. */
  readonly reason: ErrorReason;
}

/** Integers are bigints, so that they are told apart from other numbers. @throws Unsupported that names the file and the line */
export function parseToml(text: string, { given, reason }: TomlSource): TomlTable {
  try {
    return parse(text, { integersAsBigInt: true });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [problem = ""] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
    throw new Unsupported(reason, `"${given}" is not TOML: line ${error.line}, column ${error.column}: ${problem}`, { cause: error });
  }
}
