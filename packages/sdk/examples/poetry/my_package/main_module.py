"""Uses a dependency that Poetry locked."""

import humanize


def process_data() -> str:
    return humanize.naturalsize(5_000_000_000)
