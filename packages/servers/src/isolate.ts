import { userInfo } from "node:os";

/** What a server sees of the file system beside that of the machine. Mounts vanish with the server. */
export type Mount =
  | { readonly type: "tmpfs"; readonly target: string; readonly mode: string }
  | { readonly type: "bind"; readonly source: string; readonly target: string };

const OWN_NAMESPACES = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "slave"];

// The shell is process 1 of the name space: it reaps orphans and passes signals on to the server.
const INIT = `
trap 'kill -TERM "$server"' TERM
trap 'kill -INT "$server"' INT
"$@" &
server=$!
while kill -0 "$server" 2>/dev/null; do wait "$server"; status=$?; done
exit "$status"
`;

/**
 * The command that runs `command` in process and mount name spaces of its own: when it ends, however it
 * ends, the kernel ends everything that it started and undoes its mounts. Needs root.
 */
export function isolated(command: readonly string[], mounts: readonly Mount[] = []): readonly string[] {
  const script = ["set -e", ...mounts.map(mountCommand), "set +e", INIT].join("\n");
  return [...OWN_NAMESPACES, "sh", "-c", script, "sh", ...command];
}

/** Whether this process may make name spaces and mounts. */
export function isRoot(): boolean {
  return userInfo().uid === 0;
}

function mountCommand(mount: Mount): string {
  const target = shellQuote(mount.target);
  return mount.type === "tmpfs"
    ? `mkdir -p ${target} && mount -t tmpfs -o mode=${mount.mode} lamina ${target}`
    : `mkdir -p ${target} && mount --bind ${shellQuote(mount.source)} ${target}`;
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
