/** Where programs are looked for: Debian keeps runc and mount's relatives where the PATH of ordinary users does not lead. */
export function programPath(...first: readonly string[]): string {
  return [...first, process.env["PATH"] ?? "", "/usr/sbin", "/sbin"].join(":");
}
