"""A library of one's own, compiled while building, a Python extension on top of it, and the compilers taken out again.

EXAMPLE_CUSTOM_LIB says where the library is: any git repository of a CMake project that installs `custom.h` and `libcustom`.
"""

import os
from pathlib import Path

from lamina import Image

library = os.environ.get("EXAMPLE_CUSTOM_LIB", "https://github.com/example/custom-lib.git")
# A relative local path starts at the working directory; this one, of the same example in TypeScript, is found from everywhere.
project = Path(__file__).parents[2] / "sdk/examples/multi-stage"

optimized = (
    Image.debian_slim(python_version="3.11")
    # The same call as in data_science_environment.py, so its layer is shared.
    .apt_install("git", "curl", "build-essential")
    # python3-dev has the headers, where the Python of the base is Debian's own.
    .apt_install("cmake", "pkg-config", "libssl-dev", "python3-dev")
    .run_commands(
        # One shell for all commands: `cd` holds for those after it.
        f"git clone {library} /tmp/custom-lib",
        "cd /tmp/custom-lib && mkdir build && cd build",
        "cmake .. && make -j$(nproc) && make install",
    )
    .pip_install("numpy", "cython")
    .copy_local_file(project / "setup.py", "/app/setup.py")
    .copy_local_dir(project / "src", "/app/src")
    .run_commands("cd /app && python setup.py build_ext --inplace", "pip install -e .")
    .apt_install("--purge", "build-essential", "cmake")  # takes them out
    .run_commands("apt-get autoremove -y && apt-get clean")
)
