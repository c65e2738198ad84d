"""The function of `poetry-project.ts`."""

from my_package import main_module


def process_with_poetry_deps() -> str:
    """What the package of the project makes, with what it depends on."""
    return main_module.process_data()
