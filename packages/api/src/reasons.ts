/**
 * Reasons: what exactly is wrong with an input, beside the code that says what it means for the caller. The closed list: what a
 * reason means never changes. The README of the SDK has each with the test that proves it.
 */
import { DEFINITION_REASONS } from "@lamina/ir";
import { z } from "zod";

/** Every reason, with what was given or found. */
export const REASONS = {
  ...DEFINITION_REASONS,
  "unknown-option": "an option that the method does not have",
  "invalid-python-version": "a Python version that is no such",
  "unknown-python-version": "a Python version that no base has",
  "unknown-base": "a base that its registry does not have",
  "base-for-another-platform": "a base of another architecture",
  "invalid-gpu": "a GPU that no machine could have",
  "invalid-variable-name": "an environment variable that no shell could expand",
  "invalid-secret-name": "a name that no secret can have",
  "invalid-secret-value": "a value that no environment could hold",
  "unknown-secret": "a named secret that the workspace does not keep",
  "unset-variable": "a secret whose variable has no value",
  "incomplete-secret": "a secret of a private base that lacks the user's name or the password",
  "conflicting-secrets": "two secrets with one variable and different values",
  "secret-value-in-step": "the value of a secret in place of its name",
  "invalid-function": "no function to build with, or one that has no source by itself or that its file does not define",
  "invalid-local-path": "NUL in a local path, or `~` at the beginning of one without a remote path",
  "missing-remote-path": "a local path outside the working directory, without a remote one",
  "invalid-context-path": "a path in `contextFiles` that leads out of the context",
  "invalid-ignore-pattern": "a pattern of `ignore` or a .dockerignore that is none",
  "missing-file": "a local file that is not there",
  "unreadable-file": "a local file that may not be read",
  "special-file": "a socket or a device",
  "wrong-file-kind": "a file in place of a directory, or the other way round",
  "reserved-file-name": "a file with a `.wh.` name",
  "name-not-utf8": "a name, or the target of a link, that is not UTF-8",
  "file-not-utf8": "a file of Python or TOML that is not UTF-8",
  "changed-file": "a file that changes while it is read",
  "colliding-files": "two local files for one place",
  "failed-condition": "a `condition` that fails, or gives no boolean",
  "invalid-pyproject": "a pyproject.toml that is none, or without dependencies",
  "unknown-group": "an extra or a group that the project does not have",
  "local-dependency": "a project that needs files beside it",
  "invalid-lock": "a poetry.lock that Poetry did not write",
  "stale-lock": "a poetry.lock of another pyproject.toml",
  "full-disk": "a full disk of the builder or of BuildKit",
  "older-platform": "a platform that is older than the SDK",
  "older-client": "an SDK that is older than the platform",
  "other-sdk": "an image that another version of the SDK made",
  "failing-file": "a file of the user's that fails when it is loaded",
  "no-image": "a file that exports no image of that name",
  "invalid-configuration": "an environment variable of Lamina's that cannot be right",
  "invalid-usage": "arguments that a command cannot use",
  "invalid-request": "a request to the platform that the SDK does not make",
} as const;

export type ErrorReason = keyof typeof REASONS;

const names = Object.keys(REASONS).filter((name): name is ErrorReason => name in REASONS);
export const ErrorReason = z.enum(names);
