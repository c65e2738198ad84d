"""A base of one's own choice, with Python put into it.

EXAMPLE_REGISTRY says which registry has the base; without it that is the public one.
"""

import os

from lamina import Image

registry = os.environ.get("EXAMPLE_REGISTRY")
base = "nvidia/cuda:11.8-devel-ubuntu22.04"

custom_base = (
    Image.from_registry(base if registry is None else f"{registry}/{base}")
    .apt_install("python3", "python3-pip", "python3-dev")
    .run_commands("ln -s /usr/bin/python3 /usr/bin/python", "pip install --upgrade pip")
    .pip_install("torch", "torchvision", "transformers")
    .env(CUDA_VISIBLE_DEVICES="0")
)
