"""An image with the packages that a function needs."""

from lamina import Image

# pandas 2.0.0 was built for numpy 1 and does not say so.
image = Image.debian_slim(python_version="3.11").pip_install("requests", "beautifulsoup4", "pandas==2.0.0", "numpy<2")
