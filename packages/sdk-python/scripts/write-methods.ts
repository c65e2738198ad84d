/** Writes `METHODS.md` anew: `node packages/sdk-python/scripts/write-methods.ts`. */
import { writeFile } from "node:fs/promises";
import { bothSdks } from "../test/support/both-languages.ts";
import { methodsPage } from "../test/support/methods-table.ts";

await writeFile(new URL("../METHODS.md", import.meta.url), methodsPage(await bothSdks()));
