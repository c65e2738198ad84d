import { capture } from "./child.mjs";
import { step } from "./step.mjs";

/** What the servers need from the machine: how it is looked for, and the Debian package that brings it. */
const REQUIREMENTS = [
  { name: "Go", probe: ["go", "version"], howToGet: "as new as infra/servers/go.mod says, from https://go.dev/dl" },
  { name: "Python 3", probe: ["python3", "--version"], debian: "python3" },
  { name: "pip", probe: ["python3", "-m", "pip", "--version"], debian: "python3-pip" },
  { name: "runc", probe: ["runc", "--version"], debian: "runc" },
  { name: "mmdebstrap", probe: ["mmdebstrap", "--version"], debian: "mmdebstrap" },
];

/** Looks for what is needed, installs what Debian has when it may, and throws naming what is missing otherwise. */
export async function provideRequirements() {
  const missing = await findMissing();
  if (missing.length === 0) return;
  const packages = missing.flatMap(({ debian }) => (debian === undefined ? [] : [debian]));
  if (packages.length > 0 && (await mayInstall())) await installDebianPackages(packages);
  const stillMissing = await findMissing();
  if (stillMissing.length > 0) {
    throw new Error(
      [
        `Missing on this machine: ${stillMissing.map(({ name }) => name).join(", ")}.`,
        ...stillMissing.map(({ name, debian, howToGet }) => `  ${name}: ${howToGet ?? `apt-get install ${debian}`}`),
      ].join("\n"),
    );
  }
}

async function findMissing() {
  const found = await Promise.all(REQUIREMENTS.map(({ probe }) => capture(probe)));
  return REQUIREMENTS.filter((_, index) => !found[index].succeeded);
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
