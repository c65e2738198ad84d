"""What is made again when a file changes: the layer that copies it and those after it, nothing before."""

from pathlib import Path

from lamina import Image

# A relative local path starts at the working directory; this one, of the same example in TypeScript, is found from everywhere.
requirements = Path(__file__).parents[2] / "sdk/examples/requirements.txt"

cached = (
    Image.debian_slim()
    .pip_install("numpy", "pandas", force_build=False)  # the default: made once
    .copy_local_file(requirements, "requirements.txt")  # made again when the file changes
    .pip_install("-r", "requirements.txt")  # and so is this
)
