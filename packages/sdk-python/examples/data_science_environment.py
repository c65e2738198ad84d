"""Debian packages, Python packages, commands and variables in one image."""

from lamina import Image

data_science = (
    Image.debian_slim(python_version="3.11")
    .apt_install("git", "curl", "build-essential")
    .pip_install("numpy", "pandas", "scikit-learn", "matplotlib", "seaborn", "jupyter", "plotly", "scipy")
    .run_commands(
        "pip install --no-deps lightgbm",  # installed in a way of its own
        "mkdir -p /opt/data",
    )
    .env(DATA_PATH="/opt/data", PYTHONPATH="/opt/models")
)
