"""Imports of what only an image has. A module is imported for one function, and may have imports for others' images too."""

from __future__ import annotations

from ._image_state import ImageState

_failed: list[tuple[ImageState, ImportError]] = []


def keep_failure(image: ImageState, error: ImportError) -> None:
    """Keep what an import that is meant for an image failed with, until it is known which function is served."""
    _failed.append((image, error))


def refuse_without_imports(image: ImageState) -> None:
    """Raise what failed of the imports that are meant for this image, or for one that it is made from."""
    for made_from, error in _failed:
        if image.is_made_from(made_from):
            # Without the frame of the block's end.
            trace = error.__traceback__
            raise error.with_traceback(None if trace is None else trace.tb_next)
