"""Local code with what it needs, to run its tests in the image."""

from pathlib import Path

from lamina import Image

# A relative local path starts at the working directory; this one, of the same example in TypeScript, is found from everywhere.
project = Path(__file__).parents[2] / "sdk/examples/development"

development = (
    Image.debian_slim()
    .pip_install("fastapi", "uvicorn", "sqlalchemy", "pytest")
    .copy_local_dir(project / "src", "/app/src", ignore="**/__pycache__")  # local source code
    .copy_local_file(project / "requirements.txt", "/app/requirements.txt")
    .run_commands("pip install -r /app/requirements.txt")
    .workdir("/app")
)
