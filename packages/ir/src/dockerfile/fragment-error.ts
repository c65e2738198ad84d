import type { DefinitionReason } from "../definition-error.ts";

/** Where an instruction stands: the command that holds it, and the line in that command, both counted from 1. */
export interface Place {
  readonly command: number;
  readonly line: number;
}

/** Instructions of a Dockerfile that cannot be taken as they are. */
export class FragmentError extends Error {
  override readonly name = "FragmentError";
  readonly place: Place;
  readonly reason: DefinitionReason;

  constructor(place: Place, message: string, reason: DefinitionReason = "invalid-instruction") {
    super(message);
    this.place = place;
    this.reason = reason;
  }
}
