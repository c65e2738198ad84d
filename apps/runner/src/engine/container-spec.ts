/** The config.json of the container of a function or a shell, as runc reads it. */
import type { CdiEdits } from "./cdi.ts";
import type { ExecutableImage } from "./executable-image.ts";
import seccomp from "./seccomp.json" with { type: "json" };

export interface SpecOptions {
  readonly image: ExecutableImage;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly { readonly source: string; readonly target: string }[];
  readonly root: string;
  readonly network: string;
  readonly hostname: string;
  /** Of the container; without it there are no limits, as for a user who is not root. */
  readonly cgroup: { readonly path: string; readonly limits: Readonly<Record<string, unknown>> } | undefined;
  readonly edits: CdiEdits;
  readonly hasTerminal: boolean;
}

/** Docker's, without what lets packets be forged, devices be made, roots be changed, the audit log be written or capabilities be given to files. */
const CAPABILITIES = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_KILL",
];

const MASKED = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];
const READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

const FILE_SYSTEMS = [
  { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
  { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755", "size=65536k"] },
  {
    destination: "/dev/pts",
    type: "devpts",
    source: "devpts",
    options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
  },
  { destination: "/dev/shm", type: "tmpfs", source: "shm", options: ["nosuid", "noexec", "nodev", "mode=1777"] },
  { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"] },
  { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"] },
];

/** null, zero, full, tty, random, urandom, console, ptmx and pseudo terminals: those that runc makes. */
const DEVICES = [
  [1, 3],
  [1, 5],
  [1, 7],
  [5, 0],
  [1, 8],
  [1, 9],
  [5, 1],
  [5, 2],
  [136, undefined],
];

export function containerSpec(options: SpecOptions): object {
  const { image, command, environment, mounts, root, network, hostname, cgroup, edits, hasTerminal } = options;
  const bound = (source: string, target: string) => ({
    destination: target,
    type: "bind",
    source,
    options: ["rbind", "ro", "nosuid", "nodev"],
  });
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: hasTerminal,
      user: image.user,
      args: command,
      env: environmentOf(image.environment, [...edits.env, ...Object.entries(environment).map(([name, value]) => `${name}=${value}`)]),
      cwd: image.workingDirectory,
      capabilities: capabilitiesOf(image.user.uid),
      noNewPrivileges: true,
    },
    root: { path: root },
    hostname,
    mounts: [
      ...FILE_SYSTEMS,
      ...mounts.map(({ source, target }) => bound(source, target)),
      ...edits.mounts,
      ...(cgroup === undefined ? boundDevices(edits) : []),
    ],
    ...(Object.keys(edits.hooks).length > 0 && { hooks: edits.hooks }),
    linux: {
      namespaces: [...["pid", "ipc", "uts", "mount", "cgroup"].map((type) => ({ type })), { type: "network", path: network }],
      ...(cgroup !== undefined && { cgroupsPath: cgroup.path, resources: { ...cgroup.limits, devices: deviceRules(edits) } }),
      devices: cgroup === undefined ? [] : edits.devices.map((device) => ({ ...device, hostPath: undefined })),
      seccomp: { ...seccomp, "//": undefined, architectures: ARCHITECTURES[process.arch === "arm64" ? "arm64" : "x64"] },
      maskedPaths: MASKED,
      readonlyPaths: READ_ONLY,
    },
  };
}

/** Who is not root cannot make them: they are the machine's own. */
function boundDevices({ devices }: CdiEdits): object[] {
  return devices.map(({ path, hostPath }) => ({
    destination: path,
    type: "bind",
    source: hostPath,
    options: ["bind", "nosuid", "noexec"],
  }));
}

function deviceRules({ devices }: CdiEdits): object[] {
  return [
    { allow: false, access: "rwm" },
    ...DEVICES.map(([major, minor]) => ({ allow: true, type: "c", major, ...(minor !== undefined && { minor }), access: "rwm" })),
    ...devices.map(({ type, major, minor }) => ({ allow: true, type, major, minor, access: "rwm" })),
  ];
}

/** Programs for 32 bits are not run: rules for them would take a fifth of a start. */
const ARCHITECTURES = { x64: ["SCMP_ARCH_X86_64"], arm64: ["SCMP_ARCH_AARCH64"] };

/** A user who is not root may get them by no program, so has none. */
function capabilitiesOf(uid: number): object {
  if (uid !== 0) return { bounding: CAPABILITIES };
  return { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES };
}

/** Later ones replace earlier ones. */
function environmentOf(image: readonly string[], more: readonly string[]): string[] {
  const variables = new Map([`PATH=${DEFAULT_PATH}`, ...image, ...more].map((variable) => [variable.split("=")[0], variable]));
  return [...variables.values()];
}

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
