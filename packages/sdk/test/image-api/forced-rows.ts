import type { Image } from "lamina";
import { credentials, packageRows, poetryRows } from "./local-python.ts";
import { atStartOfPython, hook } from "./shared.ts";
import type { Row, Surroundings } from "./rows.ts";
import { aptRows } from "./step-rows.ts";

const NOW = "date +%s%N > /looks/new";

/** Each method in an image of its own, since what is forced makes all after it anew. Each writes down when it is made. */
export function forcedRows(surroundings: Surroundings): Row[][] {
  const forceBuild = true;
  // Only what installs packages sets this variable.
  const marked = (image: Image) =>
    image.runCommands(atStartOfPython('"UV_PYTHON" in os.environ and open("/looks/new", "w").write(str(__import__("time").time_ns()))'));
  return [
    rowsOf("runCommands", (image) => image.runCommands(NOW, { forceBuild })),
    rowsOf("runFunction", (image) =>
      image.runFunction(
        async () => {
          const { writeFile } = process.getBuiltinModule("node:fs/promises");
          await writeFile("/looks/new", `${BigInt(Date.now()) * 1_000_000n}`);
        },
        { forceBuild },
      ),
    ),
    rowsOf("dockerfileCommands", (image) => image.dockerfileCommands([`RUN ${NOW}`], { forceBuild })),
    rowsOf("pipInstall", (image) => marked(image).pipInstall("plain", { indexUrl: surroundings.index, forceBuild })),
    [...rowsOf("aptInstall", (image) => image.aptInstall("hello", "tree", ...hook(NOW), { forceBuild })), ...aptRows],
    [...rowsOf("addPythonPackages", marked), ...packageRows(surroundings, { forceBuild })],
    [...rowsOf("poetryInstallFromFile", marked), ...poetryRows(surroundings, { forceBuild, ...credentials(surroundings.token) })],
  ];
}

function rowsOf(method: string, add: (image: Image) => Image): Row[] {
  return [
    {
      method,
      option: "forceBuild",
      what: "that what is before it was not made anew",
      add: (image) => image.runCommands("mkdir /looks", "date +%s%N > /looks/kept"),
      look: '[ "$(cat /looks/kept)" -lt "$SECOND_BUILD" ] && echo kept',
      expected: "kept",
    },
    {
      method,
      option: "forceBuild",
      what: "that it was made anew, though nothing has changed",
      add,
      look: '[ "$(cat /looks/new)" -gt "$SECOND_BUILD" ] && echo made anew',
      expected: "made anew",
    },
  ];
}
