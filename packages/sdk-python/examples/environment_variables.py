"""Configuration: variables of the image, and a file that differs from place to place."""

from pathlib import Path

from lamina import Image

# A relative local path starts at the working directory; this one, of the same example in TypeScript, is found from everywhere.
settings = Path(__file__).parents[2] / "sdk/examples/.env.production"

config = (
    Image.debian_slim()
    .pip_install("python-dotenv", "pydantic")
    .env(ENVIRONMENT="production", LOG_LEVEL="INFO", API_TIMEOUT="30")
    .copy_local_file(settings, "/app/.env")
)
