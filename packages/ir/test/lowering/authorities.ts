/** The certificate authorities that this machine trusts, for steps that go out through its proxy. */
import { readFile } from "node:fs/promises";

/** The bundle that SSL_CERT_FILE names; none where images know all that is needed. */
export async function authorities(): Promise<string | undefined> {
  const file = process.env["SSL_CERT_FILE"] ?? "";
  return file === "" ? undefined : readFile(file, "utf8");
}
