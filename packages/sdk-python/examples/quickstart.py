"""The first image to build: `python examples/quickstart.py`. Change a line and build it again."""

from lamina import Image

quickstart = Image.debian_slim().pip_install("cowsay==6.1").env(GREETING="Hello from an image of your own").workdir("/srv")

if __name__ == "__main__":
    print(quickstart.build(name="quickstart").ref)  # noqa: T201
