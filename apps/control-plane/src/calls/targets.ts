/**
 * Which function version a name stands for, as the last call of it found. Known to this process alone, and forgotten whenever anything is
 * deployed or stopped: by this process before that is answered, by another one as soon as NATS says so.
 */
import type { StartCallsInput } from "@lamina/api";
import { recent } from "./recent.ts";

export type Called = Pick<StartCallsInput, "app" | "function" | "method">;

export interface Target {
  readonly functionId: string;
  /** Of the app. */
  readonly version: number;
}

export interface Targets {
  find(workspace: string, called: Called): Target | undefined;
  /** To be called before a look into the database. @returns what takes down what it found */
  looking(workspace: string, called: Called): (target: Target) => void;
  forget(): void;
}

export function createTargets(): Targets {
  let targets = recent<Target>();
  const nameOf = (workspace: string, { app, function: name, method = "" }: Called) => `${workspace} ${app} ${name} ${method}`;
  return {
    find: (workspace, called) => targets.get(nameOf(workspace, called)),
    looking(workspace, called) {
      // What was seen before something changed is not true any more.
      const now = targets;
      return (target) => now.set(nameOf(workspace, called), target);
    },
    forget: () => void (targets = recent()),
  };
}
