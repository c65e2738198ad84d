import { join } from "node:path";
import type { Image } from "lamina";
import { credentials } from "./local-python.ts";
import { atStartOfPython, hook } from "./shared.ts";
import type { Row, Surroundings } from "./rows.ts";

const UUID = "/proc/sys/kernel/random/uuid";

/** Each method in an image of its own, since what is forced makes all after it anew. Each writes something else whenever it is made. */
export function forcedRows({ files, index, token }: Surroundings): Row[][] {
  const forced = { forceBuild: true };
  // Only what installs packages sets this variable.
  const marked = (image: Image) =>
    image.runCommands(atStartOfPython(`"UV_PYTHON" in os.environ and open("/looks/new", "w").write(open("${UUID}").read())`));
  return [
    rowsOf("runCommands", (image) => image.runCommands(`cat ${UUID} > /looks/new`, forced)),
    rowsOf("aptInstall", (image) => image.aptInstall("hello", ...hook(`cat ${UUID} > /looks/new`), forced)),
    rowsOf("dockerfileCommands", (image) => image.dockerfileCommands([`RUN cat ${UUID} > /looks/new`], forced)),
    rowsOf("pipInstall", (image) => marked(image).pipInstall("plain", { indexUrl: index, ...forced })),
    rowsOf("addPythonPackages", (image) => marked(image).addPythonPackages(join(files, "python/as_it_is"), forced)),
    rowsOf("poetryInstallFromFile", (image) =>
      marked(image).poetryInstallFromFile(join(files, "poetry/pyproject.toml"), undefined, { ...forced, ...credentials(token) }),
    ),
  ];
}

function rowsOf(method: string, add: (image: Image) => Image): Row[] {
  return [
    {
      method,
      option: "forceBuild",
      what: "that what is before it was not made anew",
      add: (image) => image.runCommands("mkdir /looks", `cat ${UUID} > /looks/kept`),
      look: "cat /looks/kept",
      expected: { afterSecondBuild: "same" },
    },
    {
      method,
      option: "forceBuild",
      what: "that it was made anew, though nothing has changed",
      add,
      look: "cat /looks/new",
      expected: { afterSecondBuild: "other" },
    },
  ];
}
