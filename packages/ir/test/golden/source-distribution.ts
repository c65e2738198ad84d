/** lamina-sample 2.0 as a source distribution: it brings what builds its wheel, and needs nothing else for that. */
import { buffer } from "node:stream/consumers";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";
import { wheel } from "./wheel.ts";
import type { PackageFile } from "@lamina/testkit";

const BACKEND = `
import base64, os
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    with open(os.path.join(wheel_directory, "${wheel.newerFileName}"), "wb") as file:
        file.write(base64.b64decode("${Buffer.from(wheel.newer).toString("base64")}"))
    return "${wheel.newerFileName}"
`;
const PROJECT =
  '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n[project]\nname = "lamina-sample"\nversion = "2.0"\n';
const INFO = "Metadata-Version: 2.1\nName: lamina-sample\nVersion: 2.0\n";

export async function sourceDistribution(): Promise<PackageFile> {
  const archive = pack();
  for (const [name, content] of Object.entries({ "PKG-INFO": INFO, "pyproject.toml": PROJECT, "backend.py": BACKEND })) {
    archive.entry({ name: `lamina_sample-2.0/${name}` }, content);
  }
  archive.finalize();
  return { name: "lamina_sample-2.0.tar.gz", content: await buffer(archive.pipe(createGzip())) };
}
