import { DEFAULT_BUILDER_VERSION } from "@lamina/ir";
import { Image, Secret } from "lamina";
import { copyRows } from "./copy-rows.ts";
import { forcedRows } from "./forced-rows.ts";
import { gpuRows, withoutGpuRow } from "./gpu-rows.ts";
import { credentials, localPythonGpuRows, packageRows, poetryRows } from "./local-python.ts";
import { METHODS } from "./methods.ts";
import { pipRows } from "./pip-rows.ts";
import type { Group, Row, Surroundings } from "./rows.ts";
import { python } from "./shared.ts";
import {
  aptRows,
  commandRows,
  functionRows,
  instructionRows,
  instructionSecretRows,
  otherUserRow,
  scriptRow,
  toolsRow,
} from "./step-rows.ts";

/** What a base has that methods stand on. */
export const BASES = {
  debian12: "Debian 12",
  debian13: "Debian 13",
  withoutPython: "Debian without Python",
  busybox: "static busybox",
  scratch: "scratch",
} as const;

export function groupsOf(surroundings: Surroundings): Group[] {
  const { tiny, busybox, token } = surroundings;
  const debian12 = { name: BASES.debian12, base: Image.debianSlim({ pythonVersion: "3.11", builderVersion: DEFAULT_BUILDER_VERSION }) };
  const debian13 = { name: BASES.debian13, base: Image.debianSlim() };
  const fileRows = [...instructionRows(surroundings), ...copyRows(surroundings)];
  return [
    {
      ...debian12,
      rows: [...pythonRows, ...commandRows, ...functionRows(surroundings), ...instructionSecretRows, ...pipRows(surroundings)],
    },
    { ...debian12, rows: fileRows },
    { ...debian12, rows: [...gpuRows(surroundings), ...localPythonGpuRows(surroundings), withoutGpuRow] },
    ...forcedRows(surroundings).map((rows) => ({ ...debian12, rows, isBuiltTwice: true })),
    {
      ...debian13,
      rows: [
        defaultPython,
        ...commandRows,
        ...functionRows(surroundings),
        ...instructionSecretRows,
        ...pipRows(surroundings),
        toolsRow,
        ...aptRows,
        ...packageRows(surroundings),
        ...poetryRows(surroundings, credentials(token)),
      ],
    },
    { ...debian13, rows: fileRows },
    {
      name: BASES.withoutPython,
      base: withoutPython(surroundings),
      rows: [noPythonRow, ...commandRows, scriptRow, toolsRow, ...aptRows, ...fileRows],
    },
    {
      name: BASES.busybox,
      base: Image.fromRegistry(busybox),
      rows: [noPythonRow, ...commandRows, ...instructionSecretRows, ...fileRows, otherUserRow],
    },
    { name: BASES.scratch, base: Image.fromRegistry("scratch"), rows: [emptyRow, ...copyRows(surroundings), shellRow(surroundings)] },
    { name: "dash and glibc", base: Image.fromRegistry(tiny), rows: baseRows },
    { name: "a private registry's", base: privateBase(surroundings), rows: privateRows },
  ];
}

/** The methods that work on a base, whatever else it lacks. */
const ANYWHERE = ["fromRegistry", "copyLocalFile", "copyLocalDir", "env", "workdir", "dockerfileCommands"];
const WITH_PYTHON = METHODS.filter((method) => method !== "fromRegistry");

/** On which base each method is looked at, at least. */
export const METHODS_ON: Readonly<Record<string, readonly string[]>> = {
  [BASES.debian12]: WITH_PYTHON,
  [BASES.debian13]: WITH_PYTHON,
  [BASES.withoutPython]: [...ANYWHERE, "runCommands", "runFunction", "aptInstall"],
  [BASES.busybox]: [...ANYWHERE, "runCommands"],
  [BASES.scratch]: ANYWHERE,
};

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

/** Debian of the registry, its Python taken away. */
export function withoutPython({ debian }: Pick<Surroundings, "debian">): Image {
  return Image.fromRegistry(debian).runCommands("rm -f /usr/bin/python* /usr/local/bin/python*");
}

const noPythonRow: Row = {
  method: "fromRegistry",
  what: "that it is that image: a shell, and no Python",
  look: "test -x /bin/sh && echo a shell; command -v python3",
  expected: "a shell",
};

const emptyRow: Row = {
  method: "fromRegistry",
  what: "that nothing of a system is in it but what steps bring",
  look: "cat /etc/os-release /etc/passwd 2>/dev/null; echo no system",
  expected: "no system",
};

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
