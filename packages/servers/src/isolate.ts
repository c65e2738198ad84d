import { userInfo } from "node:os";

/** What a server sees of the file system beside that of the machine. Mounts vanish with the server. */
export type Mount =
  | { readonly type: "tmpfs"; readonly target: string; readonly mode: string }
  | { readonly type: "bind"; readonly source: string; readonly target: string }
  /** The machine's directory, but one can write into it, and the named entry is an empty directory. */
  | { readonly type: "writable"; readonly target: string; readonly own: string };

const OWN_NAMESPACES = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "slave"];

/** Its root is this user, its other users and groups are the subordinate ids that /etc/subuid and /etc/subgid give this user. */
export const OWN_USER_NAMESPACE = ["--user", "--map-root-user", "--map-auto"];

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
 * ends, the kernel ends everything that it started and undoes its mounts. Who is not root gets a user name
 * space too, in which the command is root.
 */
export function isolated(command: readonly string[], mounts: readonly Mount[] = []): readonly string[] {
  const script = ["set -e", ...mounts.map(mountCommand), "set +e", INIT].join("\n");
  return [...OWN_NAMESPACES, ...(isRoot() ? [] : OWN_USER_NAMESPACE), "sh", "-c", script, "sh", ...command];
}

/** Whether this process is root, of the machine or of a container. */
export function isRoot(): boolean {
  return userInfo().uid === 0;
}

function mountCommand(mount: Mount): string {
  const target = shellQuote(mount.target);
  switch (mount.type) {
    case "tmpfs":
      return `mkdir -p ${target} && mount -t tmpfs -o mode=${mount.mode} lamina ${target}`;
    case "bind":
      return `mkdir -p ${target} && mount --bind ${shellQuote(mount.source)} ${target}`;
    case "writable":
      // Not by overlayfs, which does not let a user write where the machine's root owns the directory. It is made at /mnt, which is there.
      return `
mount --no-mtab -t tmpfs -o mode=0755 lamina /mnt
mkdir /mnt/.machine /mnt/${mount.own}
mount --no-mtab --rbind ${target} /mnt/.machine
for entry in ${target}/*; do
  [ -e "/mnt/\${entry##*/}" ] || ln -s ${target}/".machine/\${entry##*/}" /mnt/
done
mount --no-mtab --move /mnt ${target}`;
  }
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
