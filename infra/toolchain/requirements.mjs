/** For the pinned Node: what `packages/servers` needs from the machine. */
import { checkRequirements } from "../../packages/servers/src/requirements.ts";
import { capture } from "./child.mjs";
import { step } from "./step.mjs";

/** Looks for what is needed, installs what Debian has when it may, and throws naming what is missing otherwise. */
export async function provideRequirements(options) {
  const missing = await findMissing(options);
  if (missing.length === 0) return;
  const packages = missing.flatMap(({ debianPackage = [] }) => debianPackage);
  if (packages.length > 0 && (await mayInstall())) await installDebianPackages(packages);
  const stillMissing = await findMissing(options);
  if (stillMissing.length > 0) {
    throw new Error(
      [
        `Missing on this machine: ${stillMissing.map(({ name }) => name).join(", ")}.`,
        ...stillMissing.map(({ name, purpose, advice }) => `  ${name}, ${purpose}. ${advice}`),
      ].join("\n"),
    );
  }
}

async function findMissing(options) {
  return (await checkRequirements(options)).filter(({ always, found }) => always && found === undefined);
}

async function mayInstall() {
  return process.getuid?.() === 0 && (await capture(["apt-get", "--version"])).succeeded;
}

async function installDebianPackages(packages) {
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = ["apt-get", "install", "-y", ...packages];
  // The machine's package lists may be absent or out of date.
  await step(`Installing the Debian packages ${packages.join(", ")} (apt-get update, apt-get install)`, "about 20 s", {
    command: ["sh", "-c", `${install.join(" ")} || { apt-get update && ${install.join(" ")}; }`],
    environment,
  });
}
