/**
 * A library of one's own, compiled while building, a Python extension on top of it, and the compilers taken out again.
 * EXAMPLE_CUSTOM_LIB says where the library is: any git repository of a CMake project that installs `custom.h` and `libcustom`.
 */
import { App, Image } from "lamina";
import { join } from "node:path";

const library = process.env["EXAMPLE_CUSTOM_LIB"] ?? "https://github.com/example/custom-lib.git";
// A relative local path starts at the working directory; this one is found from everywhere.
const project = join(import.meta.dirname, "multi-stage");

export const optimized = Image.debianSlim({ pythonVersion: "3.11" })
  // The same call as in data-science-environment.ts, so its layer is shared.
  .aptInstall("git", "curl", "build-essential")
  // python3-dev has the headers, where the Python of the base is Debian's own.
  .aptInstall("cmake", "pkg-config", "libssl-dev", "python3-dev")
  .runCommands(
    // One shell for all commands: `cd` holds for those after it.
    `git clone ${library} /tmp/custom-lib`,
    "cd /tmp/custom-lib && mkdir build && cd build",
    "cmake .. && make -j$(nproc) && make install",
  )
  .pipInstall("numpy", "cython")
  .copyLocalFile(join(project, "setup.py"), "/app/setup.py")
  .copyLocalDir(join(project, "src"), "/app/src")
  .runCommands("cd /app && python setup.py build_ext --inplace", "pip install -e .")
  .aptInstall("--purge", "build-essential", "cmake") // takes them out
  .runCommands("apt-get autoremove -y && apt-get clean");

export const app = new App("optimized-build");

/** The sum of squares, by the compiled library. It is in `optimized_build.py`. */
export const runOptimizedComputation = app.function<(data: readonly number[]) => number>({
  image: optimized,
  python: "optimized_build:run_optimized_computation",
});
