/** The first image to build: `lamina build packages/sdk/examples/quickstart.ts`. Change a line and build it again. */
import { Image } from "lamina";

export const quickstart = Image.debianSlim().pipInstall("cowsay==6.1").env({ GREETING: "Hello from an image of your own" }).workdir("/srv");
