/** Each way in which a definition can be wrong, with what was given then; found before any work is done for it. A reason is stable. */
export const DEFINITION_REASONS = {
  "unknown-builder-version": "a builder version that this release does not know",
  "invalid-reference": "an image tag that no registry could have",
  "empty-arguments": "an empty list, or an empty text in it",
  "invalid-argument": "an argument or option of another kind than the method takes",
  "invalid-text": "NUL, or half a character, in a text",
  "invalid-remote-path": "`..`, `~`, a control character or a `.wh.` name in a remote path, or one that is too long",
  "invalid-working-directory": "the same in a working directory",
  "invalid-requirement": "a Python requirement, or a flag of pip, that cannot be right",
  "invalid-index-url": "a package index that is no URL",
  "invalid-package-name": "a Debian package whose name cannot be right",
  "invalid-package": "a local Python package that is none, or is given twice",
  "wheel-for-another-python": "a wheel for another Python",
  "wheel-for-another-platform": "a wheel for another platform",
  "unsupported-python": "a Python that Poetry does not run under",
  "environment-too-large": "variables that are too large for Linux",
  "reserved-variable": "a variable that the platform uses itself",
  "undeclared-secret": "a secret that the step does not declare",
  "misplaced-secret": "a secret where an image would keep it",
  "missing-shell": "a base without the shell that a step needs",
  "unsuitable-shell": "commands for a shell that is not POSIX",
  "from-instruction": "`FROM` among instructions of a Dockerfile",
  "local-add": "`ADD` of local files",
  "unknown-instruction": "an instruction that Dockerfiles do not have",
  "open-heredoc": "a heredoc without its end",
  "open-instruction": "a backslash at the end",
  "missing-source": "`COPY` or a mount of what is not in the context",
  "escaping-source": "`COPY` or a mount of what lies outside the context, by `..` or by a link",
  "link-cycle": "a link that leads to itself, by others or not",
  "invalid-instruction": "another instruction that cannot be right",
  "too-many-layers": "more than 120 layers of files",
  "definition-too-large": "a definition of more than 4 MiB",
} as const;
export type DefinitionReason = keyof typeof DEFINITION_REASONS;

/** Thrown for a definition that cannot be built as it is. The message says what to change. */
export class DefinitionError extends Error {
  override readonly name = "DefinitionError";
  readonly reason: DefinitionReason;
  /** The index of the step that is wrong, counted from 0; undefined when it is the definition as a whole. */
  readonly step: number | undefined;

  constructor(reason: DefinitionReason, message: string, step?: number) {
    super(withoutCredentials(message));
    this.reason = reason;
    this.step = step;
  }
}

/** A text in which nothing stands before the host of a URL: messages are kept, and shown to others. */
function withoutCredentials(text: string): string {
  return text.replaceAll(/:\/\/[^/"]*@/g, "://***@");
}

/** What is wrong with one step. */
export interface Fault {
  readonly reason: DefinitionReason;
  readonly message: string;
}
