/**
 * Builder versions: what a definition pins beside its operations. The golden Dockerfiles of a
 * version never change; what has to change goes into a new version.
 */
export interface BuilderVersion {
  readonly name: string;
  /** The uv that installs Python packages. */
  readonly uv: string;
  /** The Poetry that reads projects and their locks. */
  readonly poetry: {
    readonly version: string;
    /** Its plugins, as requirements. */
    readonly plugins: readonly string[];
    /** The oldest minor version of Python 3 that it runs under. */
    readonly oldestPython: number;
  };
  /** The major version of the Node that runs functions of JavaScript. */
  readonly node: string;
  /** The Python of `debianSlim()` without a version. */
  readonly defaultPython: string;
  /** How layers are compressed. */
  readonly compression: "zstd";
}

const VERSIONS: readonly BuilderVersion[] = [
  {
    name: "2026.11",
    uv: "0.13.9",
    poetry: { version: "2.5.1", plugins: ["poetry-plugin-export==1.10.1", "poetry-plugin-pypi-mirror==0.6.5"], oldestPython: 10 },
    node: "24",
    defaultPython: "3.13",
    compression: "zstd",
  },
];

/** The version that the SDK writes when none is asked for. */
export const DEFAULT_BUILDER_VERSION = "2026.11";

/** The builder version of that name, or undefined when this release does not know it. */
export function builderVersion(name: string): BuilderVersion | undefined {
  return VERSIONS.find((version) => version.name === name);
}

/** The names of all builder versions, the oldest first. */
export function builderVersionNames(): string[] {
  return VERSIONS.map((version) => version.name);
}
