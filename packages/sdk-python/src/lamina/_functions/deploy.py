"""Deploying: images are built and code is sent, both at once, then the platform is told of the functions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._arguments import Call
from .._build import BuildOptions, build_image
from .._client import Client
from .._code.module import CodeModule, NoModule, module_of
from .._code.tree import code_tree
from .._config import sdk_config
from .._errors import invalid_input
from .._image_secrets import inline_values, with_secrets
from .._image_state import ImageState
from .._local.problem import ChangedWhileRead, Unsupported
from .._local.stop import stoppable
from .._local.tree import LocalTree
from .._results import Event
from .._snapshot import SnapshotTree
from .._upload.upload import upload
from ..image import state_of
from ..secret import Secret, reference_to
from .definition import AppState, FunctionDefinition

OnEvent = Callable[[Event, str], None]


@dataclass(frozen=True)
class Code:
    """The code of one function."""

    module: CodeModule
    tree: SnapshotTree


async def deploy_app(
    client: Client, app: AppState, *, ephemeral: str | None = None, on_event: OnEvent, apart: bool = False
) -> Mapping[str, Any]:
    """Make an app's functions those of the app of that name, or of one for the moment with the given id.

    `on_event` hears of what happens to each image, by the name of its functions, as in "double and 2 more"; `apart` builds one after
    the other.
    Raises LaminaError for why an image cannot be built, code cannot be sent, or the platform cannot serve the functions.
    """
    if not app.functions:
        raise invalid_input(f"The app {app.name} has no function; make one by @app.function() before it is deployed", None)
    values = secret_values(app.functions)
    with stoppable():
        codes = await asyncio.to_thread(codes_of, app.functions, sdk_config().home)
    trees = {code.tree.tree.digest: code.tree for code in codes}
    building = asyncio.ensure_future(_built(client, app.functions, on_event, apart=apart))
    sending = asyncio.ensure_future(upload(client, list(trees.values()), lambda _: None))
    images = await _both(building, sending)
    await asyncio.to_thread(_remember, list(trees.values()))
    functions = [
        {
            "name": one.name,
            "code": code.tree.tree.digest,
            "entry": {"language": "python", "module": code.module.name, "name": one.qualname},
            **one.limits,
            **({} if one.methods is None else {"methods": list(one.methods)}),
            "image": images[id(state_of(one.image))],
            "secrets": [reference_to(secret) for secret in one.secrets],
        }
        for one, code in zip(app.functions, codes)
    ]
    for_now = {} if ephemeral is None else {"ephemeral": ephemeral}
    deployed: Mapping[str, Any] = await client.mutation(
        "apps.deploy", {"app": app.name, "functions": functions, "secrets": values, **for_now}
    )
    return deployed


def _remember(trees: Sequence[SnapshotTree]) -> None:
    for one in trees:
        one.tree.remember()


def codes_of(functions: Sequence[FunctionDefinition], home: str) -> list[Code]:
    """The code of functions, that of one module read once. INVALID_INPUT with the place of the function."""
    trees: dict[CodeModule, LocalTree] = {}
    codes: list[Code] = []
    for one in functions:
        try:
            module = module_of(one.module)
            tree = trees.get(module) or trees.setdefault(module, code_tree(module, home))
        except (NoModule, Unsupported, ChangedWhileRead, OSError) as error:
            raise invalid_input(f"{one.name}: {error}", one.source) from error
        codes.append(Code(module, SnapshotTree(tree, one.source)))
    return codes


async def _both(building: asyncio.Future[Mapping[int, str]], sending: asyncio.Future[None]) -> Mapping[int, str]:
    """What one of them raises ends the other."""
    try:
        images, _ = await asyncio.gather(building, sending)
    except BaseException:
        building.cancel()
        sending.cancel()
        await asyncio.gather(building, sending, return_exceptions=True)
        raise
    return images


def image_name(functions: Sequence[str]) -> str:
    """What an image is called that functions of an app run in, by their names in the order of the app."""
    first, *others = functions
    if not others:
        return first
    return f"{first} and {others[0]}" if len(others) == 1 else f"{first} and {len(others)} more"


async def _built(client: Client, functions: Sequence[FunctionDefinition], on_event: OnEvent, *, apart: bool) -> Mapping[int, str]:
    """Build each image once; gives the ids of images by the identity of their states."""
    images: dict[int, tuple[list[str], ImageState]] = {}
    for one in functions:
        state = state_of(one.image)
        images.setdefault(id(state), ([], state))[0].append(one.name)
    turns = asyncio.Semaphore(1 if apart else max(1, len(images)))

    async def build(key: int, name: str, state: ImageState) -> tuple[int, str]:
        async with turns:
            result = await build_image(client, state, BuildOptions(lambda event: on_event(event, name), name))
        return key, result.id

    tasks = [asyncio.ensure_future(build(key, image_name(names), state)) for key, (names, state) in images.items()]
    try:
        return dict(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def secret_values(functions: Sequence[FunctionDefinition]) -> Mapping[str, str]:
    """The values of all inline secrets. INVALID_INPUT when a variable would have two values in one app."""
    all_secrets: Sequence[Secret] = ()
    for one in functions:
        all_secrets = with_secrets(all_secrets, one.secrets, Call(one.name, one.source), of="app")
    return inline_values(all_secrets)
