interface Suite {
  readonly name: string;
  /** Still in the making: its index is valid for a week only, which is less than many mirrors lag behind. */
  readonly moving: boolean;
}

/** The Debian release that has each Python. */
const SUITES = new Map<string, Suite>([
  ["3.9", { name: "bullseye", moving: false }],
  ["3.11", { name: "bookworm", moving: false }],
  ["3.13", { name: "trixie", moving: false }],
  ["3.14", { name: "forky", moving: true }],
]);

const PACKAGES = ["ca-certificates", "python3", "python3-venv", "python3-pip"];

/** What `apt-get install` adds later leaves documentation out too, as in other slim images. */
const PATH_EXCLUDES = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*"];

const CUSTOMISATIONS = [
  // A bare `python`, and a bare `pip install` that Debian's marker would refuse.
  'ln -s python3 "$1/usr/bin/python"',
  'rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED',
  // The options of the bootstrap are not those of whoever uses the image.
  'rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap"',
  // These differ each time, and no program reads them.
  'rm -f "$1/var/log/dpkg.log" "$1/var/log/bootstrap.log" "$1/var/log/alternatives.log" "$1/var/cache/ldconfig/aux-cache"',
  'rm -rf "$1/var/log/apt"/*',
];

/** The `python` versions that a base can be made for. */
export function basePythons(): readonly string[] {
  return [...SUITES.keys()];
}

/** The arguments of mmdebstrap that write the base as a tar to stdout. Throws for a Python that no Debian release has. */
export function baseRecipe(python: string): readonly string[] {
  const suite = SUITES.get(python);
  if (suite === undefined) {
    throw new Error(`There is no Debian base with Python ${python}. Those that can be made: ${basePythons().join(", ")}.`);
  }
  return [
    "--variant=minbase",
    "--format=tar",
    `--include=${PACKAGES.join(",")}`,
    ...(suite.moving ? ['--aptopt=Acquire::Check-Valid-Until "false"'] : []),
    ...PATH_EXCLUDES.map((path) => `--dpkgopt=path-exclude=${path}`),
    ...CUSTOMISATIONS.map((command) => `--customize-hook=${command}`),
    suite.name,
    "-",
  ];
}
