"""The code of functions: where it lies, and what is sent of it."""
