"""Secrets while building: a private repository, and a package of a private index.

Values come from the environment and enter no layer. EXAMPLE_GIT_SERVER and EXAMPLE_PACKAGE_INDEX say where both are.
"""

import os
from urllib.parse import urlsplit

from lamina import Image, Secret

git = urlsplit(os.environ.get("EXAMPLE_GIT_SERVER", "https://github.com"))
index = urlsplit(os.environ.get("EXAMPLE_PACKAGE_INDEX", "https://pypi.private.com/simple/"))

secret = Secret.from_dict(
    {
        "GITHUB_TOKEN": os.environ.get("GITHUB_TOKEN", "ghp_..."),
        "PRIVATE_REGISTRY_TOKEN": os.environ.get("PRIVATE_REGISTRY_TOKEN", "..."),
    }
)

# `${{…}}` is for the step that runs: no value is in the definition.
secure = (
    Image.debian_slim()
    .apt_install("git")
    .run_commands(f"git clone {git.scheme}://${{GITHUB_TOKEN}}@{git.netloc}/private/repo.git /app", secrets=[secret])
    .pip_install(
        "--extra-index-url",
        f"{index.scheme}://token:${{PRIVATE_REGISTRY_TOKEN}}@{index.netloc}{index.path}",
        "private-package",
        secrets=[secret],
    )
)
