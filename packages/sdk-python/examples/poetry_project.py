"""A project whose dependencies Poetry manages, and its package beside them."""

import os
from pathlib import Path

from lamina import Image

# Where Poetry's own installer is; EXAMPLE_POETRY_INSTALLER names another place.
installer = os.environ.get("EXAMPLE_POETRY_INSTALLER", "https://install.python-poetry.org")

# A relative local path starts at the working directory; these, of the same example in TypeScript, are found from everywhere.
project = Path(__file__).parents[2] / "sdk/examples/poetry"

poetry = (
    Image.debian_slim()
    .apt_install("curl")
    # Only for who wants Poetry in the image: poetry_install_from_file brings its own, and leaves nothing of it.
    .run_commands(f"curl -sSL {installer} | python3 -", 'export PATH="/root/.local/bin:$PATH"')
    .poetry_install_from_file(project / "pyproject.toml", project / "poetry.lock")
    .copy_local_dir(project / "my_package", "/app/my_package")
    .workdir("/app")
)
