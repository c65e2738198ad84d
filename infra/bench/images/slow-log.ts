/** A step that says the time, in nanoseconds, again and again. */
import { Image } from "lamina";

export const SAID = /said at (\d+)$/;

export function slowLog(nonce: string): Image {
  return Image.debianSlim().runCommands(`for i in $(seq 40); do echo "${nonce} said at $(date +%s%N)"; sleep 0.05; done`);
}
