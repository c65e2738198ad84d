import { DEFAULT_BUILDER_VERSION } from "@lamina/ir";
import { Image, Secret } from "lamina";
import { copyRows } from "./copy-rows.ts";
import { forcedRows } from "./forced-rows.ts";
import { gpuRows, withoutGpuRow } from "./gpu-rows.ts";
import { localPythonGpuRows } from "./local-python.ts";
import { pipRows } from "./pip-rows.ts";
import type { Group, Row, Surroundings } from "./rows.ts";
import { python } from "./shared.ts";
import { commandRows, functionRows, instructionRows, instructionSecretRows } from "./step-rows.ts";

const DEBIAN_12 = "Debian 12";

export function groupsOf(surroundings: Surroundings): Group[] {
  const debian = Image.debianSlim({ pythonVersion: "3.11", builderVersion: DEFAULT_BUILDER_VERSION });
  return [
    { name: "Debian 13", base: Image.debianSlim(), rows: [defaultPython] },
    {
      name: "dash and glibc",
      base: Image.fromRegistry(surroundings.tiny),
      rows: [...baseRows, ...instructionRows(surroundings), ...copyRows(surroundings)],
    },
    { name: "scratch", base: Image.fromRegistry("scratch"), rows: [...copyRows(surroundings), shellRow(surroundings)] },
    { name: "a private registry's", base: privateBase(surroundings), rows: privateRows },
    {
      name: DEBIAN_12,
      base: debian,
      rows: [...pythonRows, ...commandRows, ...functionRows(surroundings), ...instructionSecretRows, ...pipRows(surroundings)],
    },
    { name: DEBIAN_12, base: debian, rows: [...gpuRows(surroundings), ...localPythonGpuRows(surroundings), withoutGpuRow] },
    ...forcedRows(surroundings).map((rows) => ({ name: DEBIAN_12, base: debian, rows, isBuiltTwice: true })),
  ];
}

const defaultPython: Row = {
  method: "debianSlim",
  what: "that the builder version's Python and its pip are there by their bare names",
  look: `${python("import sys; print(sys.version_info[:2])")}; pip --version | grep -o "python 3.13"`,
  expected: "(3, 13)\npython 3.13",
};

const baseRows: readonly Row[] = [
  {
    method: "fromRegistry",
    what: "that it is that image: a shell, and no Python",
    look: "command -v sh; command -v python3",
    expected: "/usr/bin/sh",
  },
];

/** After steps that need no shell, so that what they did can be looked at. */
function shellRow({ tiny }: Surroundings): Row {
  return {
    method: "dockerfileCommands",
    what: "what a COPY from another image brings",
    add: (image) => image.dockerfileCommands([`COPY --from=${tiny} / /`]),
    look: "command -v cat",
    expected: "/usr/bin/cat",
  };
}

const pythonRows: readonly Row[] = [
  {
    method: "debianSlim",
    option: "pythonVersion",
    what: "the version of python",
    look: python("import sys; print(sys.version_info[:2])"),
    expected: "(3, 11)",
  },
  {
    method: "debianSlim",
    option: "builderVersion",
    what: "that packages are installed by uv, and byte code names the hash of its source, as that version has it",
    look: python(
      'import importlib.metadata as m, importlib.util as u, plain; print(m.distribution("plain").read_text("INSTALLER"), open(u.cache_from_source(plain.__file__), "rb").read()[4])',
    ),
    expected: "uv 3",
  },
];

function privateBase({ privateBase: { reference, username, password } }: Surroundings): Image {
  return Image.fromRegistry(reference, {
    secret: Secret.fromDict({ REGISTRY_USERNAME: username, REGISTRY_PASSWORD: password }),
    setupDockerfileCommands: ["ENV SET_UP=yes", 'RUN echo "$SET_UP" >/set-up'],
  });
}

const privateRows: readonly Row[] = [
  {
    method: "fromRegistry",
    option: "secret",
    what: "a file of the private base, and no variable of the secret",
    look: 'cat /private; echo "[$REGISTRY_PASSWORD]"',
    expected: "private[]",
  },
  {
    method: "fromRegistry",
    option: "setupDockerfileCommands",
    what: "what the instructions did",
    look: 'cat /set-up; echo "$SET_UP"',
    expected: "yes\nyes",
  },
];
