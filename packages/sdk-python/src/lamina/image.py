"""The image: an immutable value; every method gives a new one with one more layer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ._arguments import AnyPath, Call, Condition, flags
from ._build_function import function_step
from ._check import check_beginning, check_step
from ._container import in_container
from ._definition import DEFAULT_BUILDER_VERSION, BaseOperation, DockerfileCommands, FromRegistry, PipInstall, RunFields, running
from ._image_secrets import refuse_values_in, registry_secret, with_secrets
from ._image_state import ImageState, Step, without_files
from ._imports import keep_failure
from ._local_steps import LocalCopy, LocalInstructions, LocalPackages, LocalPoetry
from ._progress import Progress
from ._results import BuildResult, ImagePlan, OnEvent
from ._source import call_site
from ._synchronize import synchronized
from .secret import Secret


class Image:
    """A container image, as a chain of operations on a base. Nothing is read, sent or built before `plan` or `build`.

    Methods raise INVALID_INPUT, with the place of the call, for arguments that cannot be right.
    """

    __slots__ = ("_state",)
    _state: ImageState

    def __init__(self) -> None:
        """There is always a base: use `Image.debian_slim` or `Image.from_registry`."""
        raise TypeError("an image starts from a base: Image.debian_slim() or Image.from_registry(tag)")

    def __setattr__(self, name: str, value: object) -> None:
        """Never."""
        raise AttributeError("an image does not change: its methods give a new one")

    def __copy__(self) -> Image:
        """Itself, since it does not change."""
        return self

    def __deepcopy__(self, memo: object) -> Image:
        """Itself, since it does not change."""
        return self

    def __repr__(self) -> str:
        """The base, and how many layers are on it."""
        base = self._state.base
        name = f"debian_slim({base['pythonVersion']!r})" if base["kind"] == "debianSlim" else f"from_registry({base['reference']!r})"
        return f"<Image.{name} and {len(self._state.steps)} steps>"

    @staticmethod
    def debian_slim(python_version: str | None = None, builder_version: str | None = None) -> Image:
        """Debian slim with Python, where `python` and `pip` work bare.

        Without a version it is the Python that this program runs in. `builder_version` pins how layers are made.
        """
        call = _calling("debian_slim")
        local = f"{sys.version_info.major}.{sys.version_info.minor}"
        python = local if python_version is None else call.python_version(python_version)
        version = DEFAULT_BUILDER_VERSION if builder_version is None else call.filled(builder_version, "builder_version")
        return _from({"kind": "debianSlim", "pythonVersion": python}, version, call)

    @staticmethod
    def from_registry(tag: str, secret: Secret | None = None, setup_dockerfile_commands: Sequence[str] | None = None) -> Image:
        """An image of a registry, such as "python:3.12-slim" or "registry.example/team/app@sha256:…".

        "scratch" is one without a file. The secret of a private registry brings REGISTRY_USERNAME and REGISTRY_PASSWORD;
        no layer depends on it. `setup_dockerfile_commands` come right after the base, as a step of their own.
        """
        call = _calling("from_registry")
        base: FromRegistry = {"kind": "fromRegistry", "reference": call.filled(tag, "the tag")}
        secrets = [] if secret is None else [call.secret(secret, "secret")]
        if secret is not None:
            base["secret"] = registry_secret(secret, call)
        image = _from(base, DEFAULT_BUILDER_VERSION, call, secrets)
        if setup_dockerfile_commands is None:
            return image
        return _with(image, {"kind": "dockerfileCommands", "commands": call.instructions(setup_dockerfile_commands)}, call)

    def pip_install(
        self,
        *packages: str,
        find_links: str | Sequence[str] | None = None,
        index_url: str | None = None,
        extra_index_url: str | Sequence[str] | None = None,
        pre: bool = False,
        force_build: bool = False,
        secrets: Sequence[Secret] | None = None,
        gpu: str | None = None,
    ) -> Image:
        """Install Python packages.

        Arguments are requirements and pip's flags, read in the image: `pip_install("-r", "requirements.txt")`. `${NAME}` of
        a secret's variable is expanded while building; nothing else is.
        """
        call = _calling("pip_install")
        names = call.strings(packages, "package")
        links, indexes = call.one_or_more(find_links, "find_links"), call.one_or_more(extra_index_url, "extra_index_url")
        run, used = _run(call, gpu, secrets)
        arguments = [*flags("--find-links", links[1:]), *flags("--extra-index-url", indexes[1:]), *names]
        plain: PipInstall = {"kind": "pipInstall", "arguments": arguments}
        step = running(plain, run)
        if links:
            step["findLinks"] = links[0]
        if index_url is not None:
            step["indexUrl"] = call.filled(index_url, "index_url")
        if indexes:
            step["extraIndexUrl"] = indexes[0]
        if call.flag(pre, "pre"):
            step["pre"] = True
        return _with(self, step, call, used, force_build)

    def add_python_packages(
        self,
        *python_packages: AnyPath,
        force_build: bool = False,
        secrets: Sequence[Secret] | None = None,
        gpu: str | None = None,
    ) -> Image:
        """Install local Python packages with what they depend on.

        Wheels (`.whl`), source distributions (`.tar.gz`, `.zip`), directories with a pyproject.toml or setup.py, and
        directories with an `__init__.py`, which can be imported by their name then.
        """
        call = _calling("add_python_packages")
        if not python_packages:
            raise call.refuse("give at least one path")
        run, used = _run(call, gpu, secrets)
        paths = tuple(call.local_path(path, f"path {number}") for number, path in enumerate(python_packages, 1))
        return _with(self, LocalPackages(paths, run), call, used, force_build)

    def poetry_install_from_file(
        self,
        poetry_pyproject_toml: AnyPath,
        poetry_lock_file: AnyPath | None = None,
        ignore_lockfile: bool = False,
        *,
        extras: Sequence[str] | None = None,
        groups: Sequence[str] | None = None,
        force_build: bool = False,
        secrets: Sequence[Secret] | None = None,
        gpu: str | None = None,
    ) -> Image:
        """Install what a Poetry project depends on, not the project itself.

        That is what its lock says, the file given or else the `poetry.lock` beside the pyproject; without one, what Poetry
        chooses while building. Poetry is brought for it, and does not stay in the image.
        """
        call = _calling("poetry_install_from_file")
        run, used = _run(call, gpu, secrets)
        pyproject = call.local_path(poetry_pyproject_toml)
        lock = None if poetry_lock_file is None else call.local_path(poetry_lock_file)
        step = LocalPoetry(
            pyproject,
            "ignored" if call.flag(ignore_lockfile, "ignore_lockfile") else lock or "beside",
            tuple(call.names(extras, "extras")),
            tuple(name for name in call.names(groups, "groups") if name != "main"),
            run,
        )
        return _with(self, step, call, used, force_build)

    def apt_install(
        self,
        *packages: str,
        force_build: bool = False,
        secrets: Sequence[Secret] | None = None,
        gpu: str | None = None,
    ) -> Image:
        """Install Debian packages, as root. Arguments are package names and apt's flags."""
        call = _calling("apt_install")
        names = call.strings(packages, "package")
        run, used = _run(call, gpu, secrets)
        return _with(self, {"kind": "aptInstall", "arguments": names, **run}, call, used, force_build)

    def run_commands(
        self,
        *commands: str,
        secrets: Sequence[Secret] | None = None,
        gpu: str | None = None,
        force_build: bool = False,
    ) -> Image:
        """Run commands in one shell, so that `cd` and `export` hold for those after them; the first that fails ends the layer."""
        call = _calling("run_commands")
        texts = call.strings(commands, "command")
        run, used = _run(call, gpu, secrets)
        return _with(self, {"kind": "runCommands", "commands": texts, **run}, call, used, force_build)

    def copy_local_file(self, local_path: AnyPath, remote_path: str | None = None) -> Image:
        """Copy a local file, or a directory as `copy_local_dir` does.

        A relative local path starts at the working directory, and without a remote path lands at the same path under the
        image's. A remote path that ends in `/` is a directory to put the file in.
        """
        call = _calling("copy_local_file")
        path = call.local_path(local_path)
        return _with(self, LocalCopy("copyLocalFile", path, call.destination(path.given, remote_path)), call)

    def copy_local_dir(
        self,
        local_path: AnyPath,
        remote_path: str | None = None,
        condition: Condition | None = None,
        *,
        ignore: str | Sequence[str] | None = None,
    ) -> Image:
        """Copy what is in a local directory: files, empty directories, and symbolic links as they are.

        Paths as in `copy_local_file`. A `.dockerignore` in the directory is honoured, and copied like any other file;
        `ignore` are further lines of it. `condition` says of each file whether it is copied.
        """
        call = _calling("copy_local_dir")
        path = call.local_path(local_path)
        destination = call.destination(path.given, remote_path)
        step = LocalCopy("copyLocalDir", path, destination, call.condition(condition), tuple(call.ignore(ignore)))
        return _with(self, step, call)

    def dockerfile_commands(
        self,
        dockerfile_commands: Sequence[str],
        secrets: Sequence[Secret] | None = None,
        gpu: str | None = None,
        context_files: Mapping[str, AnyPath] | None = None,
        force_build: bool = False,
    ) -> Image:
        """Run instructions of a Dockerfile, as one step: in each string one or several whole ones.

        They go on with the image as it is, so FROM has no place among them, and what they set (USER, SHELL, ARG …) holds
        for later steps too. COPY and bind mounts find `context_files`: a path in the context, and the local path.
        """
        call = _calling("dockerfile_commands")
        commands = call.instructions(dockerfile_commands)
        run, used = _run(call, gpu, secrets)
        if context_files is None:
            plain: DockerfileCommands = {"kind": "dockerfileCommands", "commands": commands}
            return _with(self, running(plain, run), call, used, force_build)
        files = tuple(call.context_files(context_files))
        return _with(self, LocalInstructions(tuple(commands), files, run), call, used, force_build)

    def run_function(
        self,
        function: Callable[..., Any] | str,
        *,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        secrets: Sequence[Secret] | None = None,
        gpu: str | None = None,
        force_build: bool = False,
    ) -> Image:
        """Run a function while building, as the image's own user, and keep what it wrote as a layer.

        It is taken by its source, alone, so what it uses it has to import itself; arguments are what JSON can say. Of one that
        is named as "file.py:name" everything in its file is there.
        """
        call = _calling("run_function")
        run, used = _run(call, gpu, secrets)
        return _with(self, function_step(function, args, kwargs, run, call), call, used, force_build)

    @contextmanager
    def imports(self) -> Iterator[None]:
        """For imports of what the image has, and this machine may not have: `with image.imports():`.

        Here, what is missing is passed over; in a container it is an error for functions of this image, and of those made from it.
        """
        try:
            yield
        except ImportError as error:
            if in_container():
                keep_failure(self._state, error)

    def env(self, /, **env_vars: str) -> Image:
        """Set environment variables, for later steps and for what runs in the image. Nothing in a value is expanded."""
        call = _calling("env")
        return _with(self, {"kind": "env", "variables": call.variables(env_vars)}, call)

    def workdir(self, path: str) -> Image:
        """Set the working directory, for later steps and for what runs in the image; made when it is missing.

        A relative path starts at the one before.
        """
        call = _calling("workdir")
        remote = call.remote_path(path)
        return _with(self, {"kind": "workdir", "path": remote[:-1] if len(remote) > 1 and remote.endswith("/") else remote}, call)

    @synchronized
    async def plan(self, *, pull: bool = False) -> ImagePlan:
        """What a build would find, what it would make and what it would send, before anything is built.

        `pull` asks the base registry again which image a tag means.
        """
        # Only here, since it takes more than the standard library.
        from ._client import connect
        from ._plan import plan_image

        async with connect() as client:
            return await plan_image(client, self._state, pull=pull)

    @synchronized
    async def build(
        self,
        *,
        name: str | None = None,
        pull: bool = False,
        sizes: bool = False,
        on_event: OnEvent | None = None,
        show_progress: bool = True,
    ) -> BuildResult:
        """Have the image exist: send what is missing, and wait until it is built. Ctrl-C cancels the build.

        Says on stderr what happens, unless `show_progress` is False; `on_event` hears of everything. `sizes` waits at the
        end until the size of every layer is known. Raises LaminaError with the layer, the command and the place in the
        user's file when a layer fails.
        """
        from ._build import BuildOptions, build_image
        from ._client import connect

        hearers: list[Callable[[Mapping[str, Any]], None]] = [Progress(name or "image")] if show_progress else []
        if on_event is not None:
            hearers.append(on_event)

        def tell(event: Mapping[str, Any]) -> None:
            for hear in hearers:
                hear(event)

        async with connect() as client:
            return await build_image(client, self._state, BuildOptions(tell, name, pull, sizes))


def state_of(image: Image) -> ImageState:
    """What an image is made of, for the SDK alone."""
    return image._state


def _calling(method: str) -> Call:
    return Call(method, call_site())


def _run(call: Call, gpu: object, secrets: object) -> tuple[RunFields, list[Secret]]:
    used = call.secrets(secrets)
    return call.run_fields(gpu, used), used


def _image(state: ImageState) -> Image:
    image = object.__new__(Image)
    object.__setattr__(image, "_state", state)
    return image


def _from(base: BaseOperation, version: str, call: Call, secrets: Sequence[Secret] = ()) -> Image:
    checked = check_beginning(version, base, call.source)
    return _image(ImageState(version, base, (), (call.source,), tuple(secrets), checked))


def _with(image: Image, step: Step, call: Call, secrets: Sequence[Secret] = (), force_build: object = False) -> Image:
    before = image._state
    refuse_values_in(step, secrets, call)
    is_forced = call.flag(force_build, "force_build") and before.forced_from is None
    state = replace(
        before,
        steps=(*before.steps, step),
        sources=(*before.sources, call.source),
        secrets=with_secrets(before.secrets, secrets, call, of="image"),
        checked=check_step(before.checked, without_files(step), call.source),
        forced_from=len(before.steps) + 1 if is_forced else before.forced_from,
    )
    return _image(state)
