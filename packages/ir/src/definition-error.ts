/** What can be wrong with a definition, found before any work is done for it. */
export const DEFINITION_ERROR_CODES = [
  "unknown-builder-version",
  "empty-arguments",
  "invalid-argument",
  "invalid-text",
  "invalid-remote-path",
  "invalid-instruction",
  "unsuitable-shell",
  "invalid-package",
  "incompatible-wheel",
  "unsupported-python",
  "invalid-reference",
  "invalid-requirement",
  "invalid-index-url",
  "environment-too-large",
  "reserved-variable",
  "undeclared-secret",
  "misplaced-secret",
  "too-many-layers",
  "definition-too-large",
] as const;
export type DefinitionErrorCode = (typeof DEFINITION_ERROR_CODES)[number];

/** Thrown for a definition that cannot be built as it is. The message says what to change. */
export class DefinitionError extends Error {
  override readonly name = "DefinitionError";
  readonly code: DefinitionErrorCode;
  /** The index of the step that is wrong, counted from 0; undefined when it is the definition as a whole. */
  readonly step: number | undefined;

  constructor(code: DefinitionErrorCode, message: string, step?: number) {
    super(message);
    this.code = code;
    this.step = step;
  }
}

/** What is wrong with one step. */
export interface Fault {
  readonly code: DefinitionErrorCode;
  readonly message: string;
}
