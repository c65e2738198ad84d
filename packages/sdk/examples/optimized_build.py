"""The function of `multi-stage-build.ts`."""

from __future__ import annotations

import my_optimized_package


def run_optimized_computation(data: list[float]) -> float:
    """The sum of squares."""
    return my_optimized_package.fast_compute(data)
