import { join } from "node:path";
import { Secret } from "lamina";
import { python, version } from "./shared.ts";
import type { Row, Surroundings } from "./rows.ts";

export function pipRows({ files, index, otherIndex, indexWithSecret, token }: Surroundings): Row[] {
  const indexUrl = index;
  return [
    {
      method: "pipInstall",
      what: "the versions that were asked for, and what they depend on",
      add: (image) => image.pipInstall("plain<2", { indexUrl }),
      look: `${version("plain")}; ${version("needed")}; command -v uv`,
      expected: "1.0\n1.0",
    },
    {
      method: "pipInstall",
      what: "flags among the packages, and files of the image that they name",
      add: (image) =>
        image
          .workdir("/project")
          .copyLocalFile(join(files, "requirements.txt"), "requirements.txt")
          .pipInstall("--no-deps", "-r", "requirements.txt", { indexUrl }),
      look: `${version("flagged")}; ${python("import not_needed")} 2>&1 | tail -1`,
      expected: "1.0\nModuleNotFoundError: No module named 'not_needed'",
    },
    {
      method: "pipInstall",
      option: "findLinks",
      what: "a package from a directory of the image",
      add: (image) => image.copyLocalDir(join(files, "wheels"), "/wheels").pipInstall("linked", "--no-index", { findLinks: "/wheels" }),
      look: version("linked"),
      expected: "1.0",
    },
    { method: "pipInstall", option: "indexUrl", what: "a package that only that index has", look: version("plain"), expected: "1.0" },
    {
      method: "pipInstall",
      option: "extraIndexUrl",
      what: "a package that only the second index has",
      add: (image) => image.pipInstall("elsewhere", { indexUrl, extraIndexUrl: otherIndex }),
      look: version("elsewhere"),
      expected: "1.0",
    },
    {
      method: "pipInstall",
      option: "pre",
      what: "the version before the release",
      add: (image) => image.pipInstall("early", { indexUrl, pre: true }),
      look: version("early"),
      expected: "2.0rc1",
    },
    {
      method: "pipInstall",
      option: "secrets",
      what: "a package from an index that asks for the secret, which nothing has afterwards",
      add: (image) => image.pipInstall("private", { indexUrl: indexWithSecret, secrets: [Secret.fromDict({ INDEX_TOKEN: token })] }),
      look: `${version("private")}; echo "[$INDEX_TOKEN]"; grep -rl ${token} /usr/local /root /tmp /etc /project`,
      expected: "1.0\n[]",
    },
  ];
}
