"""Functions that the tests call: imported by them, and in containers."""

from __future__ import annotations

import lamina

app = lamina.App("numbers")
image = lamina.Image.debian_slim(python_version="3.13").env(OFFSET="100")


@app.function(image=image)
def double(value: int) -> int:
    print("doubling", value)
    return value * 2
