/** Python projects for tests, which need nothing from an index to be built. */
import { buffer } from "node:stream/consumers";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";
import type { PackageFile } from "./package-index.ts";
import type { WheelOptions } from "./wheel.ts";

export interface ProjectOptions extends WheelOptions {
  /** Statements in Python for the start of its backend, when it is built. */
  readonly whenBuilt?: string;
}

/** The files of the directory of a project of one module, by their paths. While it is built, its backend writes into that directory. */
export function projectOf({ module, version, source, requires = [], whenBuilt = "" }: ProjectOptions): Readonly<Record<string, string>> {
  const name = module.replaceAll("_", "-");
  const dependencies = JSON.stringify(requires);
  return {
    "pyproject.toml": `[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "${name}"
version = "${version}"
dependencies = ${dependencies}
`,
    "backend.py": `${whenBuilt}\n${BACKEND}`
      .replaceAll("$MODULE", module)
      .replaceAll("$NAME", name)
      .replaceAll("$VERSION", version)
      .replaceAll("$REQUIRES", dependencies),
    [`${module}.py`]: source,
  };
}

/** The same as a source distribution, which says itself what it depends on. */
export async function sdistOf(options: ProjectOptions): Promise<PackageFile> {
  const { module, version, requires = [] } = options;
  const tar = pack();
  const root = `${module}-${version}`;
  const information = `Metadata-Version: 2.2\nName: ${module.replaceAll("_", "-")}\nVersion: ${version}\n${requires.map((one) => `Requires-Dist: ${one}\n`).join("")}`;
  for (const [name, content] of Object.entries({ ...projectOf(options), "PKG-INFO": information })) {
    tar.entry({ name: `${root}/${name}`, mtime: new Date(0) }, content);
  }
  tar.finalize();
  return { name: `${root}.tar.gz`, content: await buffer(tar.pipe(createGzip())) };
}

const BACKEND = `import os
import zipfile

INFO = "$MODULE-$VERSION.dist-info"
REQUIRES = "".join("Requires-Dist: %s\\n" % requirement for requirement in $REQUIRES)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = "$MODULE-$VERSION-py3-none-any.whl"
    os.makedirs("build", exist_ok=True)
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        wheel.write("$MODULE.py")
        wheel.writestr(INFO + "/METADATA", "Metadata-Version: 2.1\\nName: $NAME\\nVersion: $VERSION\\n" + REQUIRES)
        wheel.writestr(INFO + "/WHEEL", "Wheel-Version: 1.0\\nGenerator: lamina\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(INFO + "/RECORD", "")
    return name
`;
