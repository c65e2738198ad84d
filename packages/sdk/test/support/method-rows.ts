/** For each parameter of each method of an image, an image that is made with it; the SDK for Python has the same ones, in `methods.py`. */
import { Image, Secret } from "lamina";

export interface MethodRow {
  readonly method: string;
  /** None for the method alone. */
  readonly parameter: string | undefined;
  readonly make: (image: Image) => Image;
}

function row(method: string, parameter: string | undefined, make: MethodRow["make"]): MethodRow {
  return { method, parameter, make };
}

export const METHOD_ROWS: readonly MethodRow[] = [
  row("debianSlim", undefined, () => Image.debianSlim()),
  row("debianSlim", "pythonVersion", () => Image.debianSlim({ pythonVersion: "3.11" })),
  row("debianSlim", "builderVersion", () => Image.debianSlim({ pythonVersion: "3.11", builderVersion: "2026.11" })),
  row("fromRegistry", "tag", () => Image.fromRegistry("ubuntu:24.04")),
  row("fromRegistry", "secret", () => Image.fromRegistry("ghcr.io/a/b:1", { secret: Secret.fromName("registry") })),
  row("fromRegistry", "setupDockerfileCommands", () => Image.fromRegistry("ubuntu:24.04", { setupDockerfileCommands: ["RUN true"] })),

  row("pipInstall", "packages", (image) => image.pipInstall("numpy>=1.26", "-r", "requirements.txt")),
  row("pipInstall", "findLinks", (image) => image.pipInstall("six", { findLinks: "/wheels" })),
  row("pipInstall", "indexUrl", (image) => image.pipInstall("six", { indexUrl: "https://x/simple" })),
  row("pipInstall", "extraIndexUrl", (image) => image.pipInstall("six", { extraIndexUrl: ["https://x/simple", "https://y/simple"] })),
  row("pipInstall", "pre", (image) => image.pipInstall("six", { pre: true })),
  row("pipInstall", "forceBuild", (image) => image.pipInstall("six", { forceBuild: true })),
  row("pipInstall", "secrets", (image) => image.pipInstall("six", { secrets: [Secret.fromName("index")] })),
  row("pipInstall", "gpu", (image) => image.pipInstall("six", { gpu: "T4" })),

  row("poetryInstallFromFile", "pyproject", (image) => image.poetryInstallFromFile("pyproject.toml")),
  row("poetryInstallFromFile", "lockFile", (image) => image.poetryInstallFromFile("pyproject.toml", "locks/poetry.lock")),
  row("poetryInstallFromFile", "ignoreLockfile", (image) =>
    image.poetryInstallFromFile("pyproject.toml", "poetry.lock", { ignoreLockfile: true }),
  ),
  row("poetryInstallFromFile", "extras", (image) => image.poetryInstallFromFile("pyproject.toml", undefined, { extras: ["net"] })),
  row("poetryInstallFromFile", "groups", (image) => image.poetryInstallFromFile("pyproject.toml", undefined, { groups: ["docs"] })),
  row("poetryInstallFromFile", "forceBuild", (image) => image.poetryInstallFromFile("pyproject.toml", undefined, { forceBuild: true })),
  row("poetryInstallFromFile", "secrets", (image) =>
    image.poetryInstallFromFile("pyproject.toml", undefined, { secrets: [Secret.fromName("index")] }),
  ),
  row("poetryInstallFromFile", "gpu", (image) => image.poetryInstallFromFile("pyproject.toml", undefined, { gpu: "T4" })),

  row("runCommands", "commands", (image) => image.runCommands("cd /tmp", "pwd >here")),
  row("runCommands", "secrets", (image) => image.runCommands("true", { secrets: [Secret.fromDict({ TOKEN: "t0ken" })] })),
  row("runCommands", "gpu", (image) => image.runCommands("nvidia-smi", { gpu: "A100:2" })),
  row("runCommands", "forceBuild", (image) => image.runCommands("true", { forceBuild: true })),

  row("aptInstall", "packages", (image) => image.aptInstall("git", "curl")),
  row("aptInstall", "forceBuild", (image) => image.aptInstall("git", { forceBuild: true })),
  row("aptInstall", "secrets", (image) => image.aptInstall("git", { secrets: [Secret.fromName("mirror")] })),
  row("aptInstall", "gpu", (image) => image.aptInstall("git", { gpu: "any" })),

  row("copyLocalFile", "localPath", (image) => image.copyLocalFile("data/a.txt")),
  row("copyLocalFile", "remotePath", (image) => image.copyLocalFile("data/a.txt", "/srv/")),
  row("copyLocalDir", "localPath", (image) => image.copyLocalDir("data")),
  row("copyLocalDir", "remotePath", (image) => image.copyLocalDir("data", "/srv")),
  row("copyLocalDir", "condition", (image) => image.copyLocalDir("data", "/srv", { condition: (path) => path.endsWith(".txt") })),
  row("copyLocalDir", "ignore", (image) => image.copyLocalDir("data", "/srv", { ignore: "*.pyc" })),

  row("addPythonPackages", "paths", (image) => image.addPythonPackages("wheels/a-1.0-py3-none-any.whl", "module")),
  row("addPythonPackages", "forceBuild", (image) => image.addPythonPackages("module", { forceBuild: true })),
  row("addPythonPackages", "secrets", (image) => image.addPythonPackages("module", { secrets: [Secret.fromName("index")] })),
  row("addPythonPackages", "gpu", (image) => image.addPythonPackages("module", { gpu: "T4" })),

  row("dockerfileCommands", "commands", (image) => image.dockerfileCommands(["RUN true", "ENV A=1"])),
  row("dockerfileCommands", "secrets", (image) => image.dockerfileCommands(["RUN true"], { secrets: [Secret.fromName("deploy")] })),
  row("dockerfileCommands", "gpu", (image) => image.dockerfileCommands(["RUN true"], { gpu: "T4" })),
  row("dockerfileCommands", "contextFiles", (image) =>
    image.dockerfileCommands(["COPY a.txt /srv/"], { contextFiles: { "a.txt": "data/a.txt" } }),
  ),
  row("dockerfileCommands", "forceBuild", (image) => image.dockerfileCommands(["RUN true"], { forceBuild: true })),

  row("runFunction", undefined, (image) => image.runFunction(() => process.getBuiltinModule("node:fs").mkdirSync("/made"))),
  row("runFunction", "handler", (image) => image.runFunction("functions.py:make")),
  row("runFunction", "args", (image) => image.runFunction("functions.py:make", { args: ["a", 1] })),
  row("runFunction", "secrets", (image) => image.runFunction("functions.py:make", { secrets: [Secret.fromName("deploy")] })),
  row("runFunction", "gpu", (image) => image.runFunction("functions.py:make", { gpu: "T4" })),
  row("runFunction", "forceBuild", (image) => image.runFunction("functions.py:make", { forceBuild: true })),

  row("env", "variables", (image) => image.env({ LOG_LEVEL: "INFO" })),
  row("workdir", "path", (image) => image.workdir("/app")),
];
