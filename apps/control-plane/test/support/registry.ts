import type { Config } from "../../src/config.ts";

/** Deletes a manifest or blob: `<repository>/manifests/<digest>`. */
export async function deleteFromRegistry({ registry }: Pick<Config, "registry">, path: string): Promise<void> {
  const { username, password } = registry.credentials ?? { username: "", password: "" };
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  const answer = await fetch(`http://${registry.host}/v2/${path}`, { method: "DELETE", headers: { authorization } });
  if (answer.status !== 202) throw new Error(`${path} was not deleted: ${answer.status} ${await answer.text()}`);
}
