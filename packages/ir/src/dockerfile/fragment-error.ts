/** Where an instruction stands: the command that holds it, and the line in that command, both counted from 1. */
export interface Place {
  readonly command: number;
  readonly line: number;
}

/** Instructions of a Dockerfile that cannot be taken as they are. */
export class FragmentError extends Error {
  override readonly name = "FragmentError";
  readonly place: Place;

  constructor(place: Place, message: string) {
    super(message);
    this.place = place;
  }
}
