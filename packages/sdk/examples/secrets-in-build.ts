/**
 * Secrets while building: a private repository, and a package of a private index. Values come from the
 * environment and enter no layer. EXAMPLE_GIT_SERVER and EXAMPLE_PACKAGE_INDEX say where both are.
 */
import { Image, Secret } from "lamina";

const { GITHUB_TOKEN = "ghp_...", PRIVATE_REGISTRY_TOKEN = "..." } = process.env;
const git = new URL(process.env["EXAMPLE_GIT_SERVER"] ?? "https://github.com");
const index = new URL(process.env["EXAMPLE_PACKAGE_INDEX"] ?? "https://pypi.private.com/simple/");

const secret = Secret.fromDict({ GITHUB_TOKEN, PRIVATE_REGISTRY_TOKEN });

// `\${…}` is for the step that runs: no value is in the definition.
export const secure = Image.debianSlim()
  .aptInstall("git")
  .runCommands(`git clone ${git.protocol}//\${GITHUB_TOKEN}@${git.host}/private/repo.git /app`, { secrets: [secret] })
  .pipInstall(
    "--extra-index-url",
    `${index.protocol}//token:\${PRIVATE_REGISTRY_TOKEN}@${index.host}${index.pathname}`,
    "private-package",
    {
      secrets: [secret],
    },
  );
