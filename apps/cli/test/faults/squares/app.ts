/** An app of one function, once with retries and once without. */
import { App, Image } from "lamina";

export type Square = (input: number) => { readonly of: number; readonly is: number };

export function squaresOn(base: string) {
  const app = new App("squares");
  const options = {
    image: Image.fromRegistry(base).env({ SQUARES: "yes" }),
    python: "squares:square",
    maxContainers: 4,
    memory: 64,
    cpu: 0.5,
  };
  return {
    app,
    triedAgain: app.function<Square>({ ...options, name: "tried-again", retries: { max: 20, delay: 0.05, factor: 1 } }),
    triedOnce: app.function<Square>({ ...options, name: "tried-once" }),
  };
}
