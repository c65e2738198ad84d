/** The image: an immutable value; every method gives a new one with one more layer. */
import { builderVersion, type Checked, DEFAULT_BUILDER_VERSION, type StepOperation } from "@lamina/ir";
import { resolve } from "node:path";
import * as take from "./arguments.ts";
import { buildImage, type BuildOptions, type BuildResult } from "./build.ts";
import { connect } from "./client/client.ts";
import { dockerfileOf } from "./dockerfile.ts";
import { parseArgument } from "./failure.ts";
import { checkBase, checkNext } from "./image-check.ts";
import { refuseCredentialsIn, refuseValuesIn, registrySecret, withSecrets } from "./image-secrets.ts";
import { IMAGE, type ImageState, type Step } from "./image-state.ts";
import type { LocalCopy } from "./local-steps/copy.ts";
import type { LocalPath } from "./local-steps/read.ts";
import { parseOptions } from "./options.ts";
import { type ImagePlan, planImage, type PlanOptions } from "./plan.ts";
import { referenceTo, type Secret } from "./secret.ts";
import { callSite } from "./source.ts";

export interface DebianSlimOptions {
  /** Such as "3.12"; without it the builder version's default, which is the same everywhere. */
  readonly pythonVersion?: string | undefined;
  /** Pins how layers are made; without it the newest that this SDK knows. */
  readonly builderVersion?: string | undefined;
}

export interface FromRegistryOptions {
  /** Of a private registry: it brings REGISTRY_USERNAME and REGISTRY_PASSWORD. No layer depends on it. */
  readonly secret?: Secret | undefined;
  /** Instructions of a Dockerfile that come right after the base, as a step of their own: {@link Image.dockerfileCommands}. */
  readonly setupDockerfileCommands?: readonly string[] | undefined;
}

/**
 * A container image, as a chain of operations on a base. Nothing is read, sent or built before
 * {@link Image.plan}, {@link Image.toDockerfile} or {@link Image.build}.
 *
 * Methods throw INVALID_INPUT, with the place of the call, for arguments that cannot be right.
 */
export class Image {
  readonly [IMAGE]: ImageState;
  readonly #checked: Checked;

  private constructor(state: ImageState, checked: Checked) {
    this[IMAGE] = Object.freeze(state);
    this.#checked = checked;
    Object.freeze(this);
  }

  /** Debian slim with Python, where `python` and `pip` work bare. @throws UNKNOWN_BUILDER_VERSION */
  static debianSlim(options: DebianSlimOptions = {}): Image {
    const call = calling("debianSlim");
    const { pythonVersion, builderVersion: version = DEFAULT_BUILDER_VERSION } = parseOptions(take.DebianSlimOptions, options, call);
    const python = pythonVersion ?? builderVersion(version)?.defaultPython ?? "";
    return Image.#from({ kind: "debianSlim", pythonVersion: python }, version, call);
  }

  /** An image of a registry, such as "python:3.12-slim" or "registry.example/team/app@sha256:…"; "scratch" is one without a file. */
  static fromRegistry(tag: string, options: FromRegistryOptions = {}): Image {
    const call = calling("fromRegistry");
    const { secret, setupDockerfileCommands: setup } = parseOptions(take.FromRegistryOptions, options, call);
    const reference = parseArgument(take.Reference, tag, { ...call, method: "fromRegistry: the tag" });
    const base = { kind: "fromRegistry" as const, reference, ...(secret && { secret: registrySecret(secret, call) }) };
    const image = Image.#from(base, DEFAULT_BUILDER_VERSION, { ...call, ...(secret && { secrets: [secret] }) });
    if (setup === undefined) return image;
    const step: Step = { kind: "dockerfileCommands", commands: [...setup] };
    if (secret !== undefined) refuseCredentialsIn(step, secret, call);
    return image.#with(step, call);
  }

  /**
   * Installs Python packages. Arguments are requirements and pip's flags, read in the image: `pipInstall("-r", "requirements.txt")`.
   * `${NAME}` of a secret's variable is expanded while building; nothing else is.
   */
  pipInstall(...packages: take.WithOptions<take.PipInstallOptions>): Image {
    const call = calling("pipInstall");
    const { strings, options } = take.splitOptions(packages, take.PipInstallOptions, { ...call, what: "package" });
    const { pre, indexUrl } = options;
    const [findLinks, ...moreLinks] = take.listed(options.findLinks);
    const [extraIndexUrl, ...moreIndexes] = take.listed(options.extraIndexUrl);
    const flags = [...moreLinks.flatMap((link) => ["--find-links", link]), ...moreIndexes.flatMap((url) => ["--extra-index-url", url])];
    const step: StepOperation = {
      kind: "pipInstall",
      arguments: [...flags, ...strings],
      ...(findLinks !== undefined && { findLinks }),
      ...(indexUrl !== undefined && { indexUrl }),
      ...(extraIndexUrl !== undefined && { extraIndexUrl }),
      ...(pre === true && { pre }),
      ...runFields(options),
    };
    return this.#with(step, call, options);
  }

  /**
   * Installs local Python packages with what they depend on: wheels (`.whl`), source distributions (`.tar.gz`, `.zip`), directories with a
   * pyproject.toml or setup.py, and directories with an `__init__.py`, which can be imported by their name then.
   */
  addPythonPackages(...paths: take.WithOptions<take.RunOptions>): Image {
    const call = calling("addPythonPackages");
    const { strings, options } = take.splitOptions(paths, take.RunOptions, { ...call, what: "path" });
    return this.#with(
      { kind: "localPackages", method: "addPythonPackages", paths: strings.map(pathOf), run: runFields(options) },
      call,
      options,
    );
  }

  /**
   * Installs what a Poetry project depends on, not the project itself: what its lock says, that is the file given or else the `poetry.lock`
   * beside the pyproject; without one, what Poetry chooses while building. Poetry is brought for it, and does not stay in the image.
   */
  poetryInstallFromFile(pyproject: string, lockFile?: string, options: take.PoetryInstallOptions = {}): Image {
    const call = calling("poetryInstallFromFile");
    const { ignoreLockfile, extras, groups, ...rest } = take.poetryOptions(options, call);
    const lock = lockFile === undefined ? ("beside" as const) : pathOf(take.localPath(lockFile, call));
    const step: Step = {
      kind: "localPoetry",
      method: "poetryInstallFromFile",
      pyproject: pathOf(take.localPath(pyproject, call)),
      lock: ignoreLockfile === true ? "ignored" : lock,
      extras,
      groups: groups.filter((name) => name !== "main"),
      run: runFields(rest),
    };
    return this.#with(step, call, rest);
  }

  /** Installs Debian packages, as root. Arguments are package names and apt's flags. */
  aptInstall(...packages: take.WithOptions<take.RunOptions>): Image {
    const call = calling("aptInstall");
    const { strings, options } = take.splitOptions(packages, take.RunOptions, { ...call, what: "package" });
    return this.#with({ kind: "aptInstall", arguments: strings, ...runFields(options) }, call, options);
  }

  /** Runs commands in one shell, so that `cd` and `export` hold for those after them; the first that fails ends the layer. */
  runCommands(...commands: take.WithOptions<take.RunOptions>): Image {
    const call = calling("runCommands");
    const { strings, options } = take.splitOptions(commands, take.RunOptions, { ...call, what: "command" });
    return this.#with({ kind: "runCommands", commands: strings, ...runFields(options) }, call, options);
  }

  /**
   * Copies a local file, or a directory as {@link Image.copyLocalDir} does. A relative local path starts at the working directory, and without
   * a remote path lands at the same path under the image's. A remote path that ends in `/` is a directory to put the file in.
   */
  copyLocalFile(localPath: string, remotePath?: string): Image {
    return this.#copy({ method: "copyLocalFile", local: localPath, remote: remotePath }, calling("copyLocalFile"));
  }

  /**
   * Copies what is in a local directory: files, empty directories, and symbolic links as they are. Paths as in {@link Image.copyLocalFile}.
   * A `.dockerignore` in the directory is honoured, and copied like any other file.
   */
  copyLocalDir(localPath: string, remotePath?: string, options: take.CopyLocalDirOptions = {}): Image {
    const call = calling("copyLocalDir");
    const { condition, ignore } = parseOptions(take.CopyLocalDirOptions, options, call);
    return this.#copy({ method: "copyLocalDir", local: localPath, remote: remotePath, condition, ignore: take.listed(ignore) }, call);
  }

  /**
   * Runs instructions of a Dockerfile, as one step: in each string one or several whole ones. They go on with the image as it is, so
   * FROM has no place among them, and what they set (USER, SHELL, ARG …) holds for later steps too.
   */
  dockerfileCommands(commands: readonly string[], options: take.DockerfileCommandsOptions = {}): Image {
    const call = calling("dockerfileCommands");
    const { contextFiles, ...rest } = parseOptions(take.DockerfileCommandsOptions, options, call);
    const instructions = take.instructionList(commands, call);
    if (contextFiles === undefined) {
      return this.#with({ kind: "dockerfileCommands", commands: [...instructions], ...runFields(rest) }, call, rest);
    }
    const files = Object.entries(contextFiles).map(([place, given]) => ({
      ...pathOf(take.localPath(given, call)),
      place: take.contextPath(place, call),
    }));
    const step = { kind: "localInstructions", method: "dockerfileCommands", commands: instructions, files, run: runFields(rest) } as const;
    return this.#with(step, call, rest);
  }

  /**
   * Runs a function while building, as the image's own user, and keeps what it wrote as a layer. What it uses it has to import itself, with
   * `await import()`: it is taken by its source, alone. A function of Python is named as "file.py:name"; of its file everything is there.
   */
  runFunction(handler: take.BuildFunction, options: take.RunFunctionOptions = {}): Image {
    const call = calling("runFunction");
    const { args = [], ...rest } = parseOptions(take.RunFunctionOptions, options, call);
    const given = args.length > 0 && { args: [...args] };
    if (typeof handler === "function") {
      const step = {
        kind: "runFunction",
        language: "javascript",
        ...take.functionSource(handler, call),
        ...given,
        ...runFields(rest),
      } as const;
      return this.#with(step, call, rest);
    }
    const { file, name } = take.pythonFunction(handler, call);
    return this.#with(
      { kind: "localFunction", method: "runFunction", file: pathOf(file), name, ...given, run: runFields(rest) },
      call,
      rest,
    );
  }

  /** Sets environment variables, for later steps and for what runs in the image. Nothing in a value is expanded. */
  env(variables: Readonly<Record<string, string>>): Image {
    const call = calling("env");
    return this.#with({ kind: "env", variables: parseArgument(take.Variables, variables, call) }, call);
  }

  /** Sets the working directory, for later steps and for what runs in the image; made when it is missing. A relative path starts at the one before. */
  workdir(path: string): Image {
    const call = calling("workdir");
    return this.#with({ kind: "workdir", path: take.remotePath(path, call).replace(/(?<=.)\/$/, "") }, call);
  }

  /** The Dockerfile that makes this image. Asks the platform for the digest of the base. */
  async toDockerfile(): Promise<string> {
    return dockerfileOf(await connect(), this);
  }

  /** What a build would find, what it would make and what it would send, before anything is built. */
  async plan(options: PlanOptions = {}): Promise<ImagePlan> {
    return planImage(await connect(), this, options);
  }

  /**
   * Has the image exist: sends what is missing, and waits until it is built.
   * @throws LaminaError with the layer, the command and the place in the user's file when a layer fails; CANCELLED when `signal` aborts
   */
  async build(options: BuildOptions = {}): Promise<BuildResult> {
    return buildImage(await connect(), this, options);
  }

  static #from(base: ImageState["base"], version: string, call: take.Call & { readonly secrets?: readonly Secret[] }): Image {
    const { source, secrets = [] } = call;
    const state: ImageState = { format: 1, builderVersion: version, base, steps: [], sources: [source], secrets };
    return new Image(state, checkBase(state, call));
  }

  #copy(copy: LocalCopyArguments, call: take.Call): Image {
    const given = take.localPath(copy.local, call);
    const destination = take.destinationOf(given, copy.remote, call);
    const { method, condition, ignore = [] } = copy;
    const chosen = { ...(condition && { condition }), ...(ignore.length > 0 && { ignore }) };
    return this.#with({ kind: "localCopy", method, given, path: resolve(given), destination, ...chosen }, call);
  }

  #with(step: Step, call: take.Call, { forceBuild, secrets = [] }: take.RunOptions = {}): Image {
    const before = this[IMAGE];
    const layer = before.steps.length + 1;
    refuseValuesIn(step, secrets, call);
    const state: ImageState = {
      ...before,
      steps: Object.freeze([...before.steps, Object.freeze(step)]),
      sources: Object.freeze([...before.sources, call.source]),
      secrets: withSecrets(before.secrets, secrets, { ...call, of: "image" }),
      forcedFrom: before.forcedFrom ?? (forceBuild === true ? layer : undefined),
    };
    return new Image(state, checkNext(this.#checked, step, call));
  }
}

interface LocalCopyArguments {
  readonly method: LocalCopy["method"];
  readonly local: string;
  readonly remote: string | undefined;
  readonly condition?: LocalCopy["condition"];
  readonly ignore?: LocalCopy["ignore"];
}

/** What the definition says of a step that runs something. */
function runFields({ gpu, secrets = [] }: take.RunOptions) {
  return { ...(gpu !== undefined && { gpu }), ...(secrets.length > 0 && { secrets: secrets.map(referenceTo) }) };
}

function pathOf(given: string): LocalPath {
  return { given, path: resolve(given) };
}

function calling(method: string): take.Call {
  return { method, source: callSite() };
}
