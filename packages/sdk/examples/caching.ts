/** What is made again when a file changes: the layer that copies it and those after it, nothing before. */
import { Image } from "lamina";
import { join } from "node:path";

// A relative local path starts at the working directory; this one is found from everywhere.
const requirements = join(import.meta.dirname, "requirements.txt");

export const cached = Image.debianSlim()
  .pipInstall("numpy", "pandas", { forceBuild: false }) // the default: made once
  .copyLocalFile(requirements, "requirements.txt") // made again when the file changes
  .pipInstall("-r", "requirements.txt"); // and so is this
