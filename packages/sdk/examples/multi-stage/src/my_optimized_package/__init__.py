from .fast import fast_compute

__all__ = ["fast_compute"]
