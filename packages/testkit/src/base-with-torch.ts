/** What stands in for a base with Ubuntu and CUDA: Debian's PyTorch, which has no use for a GPU, where pip looks for what is installed. */

/** Commands on Debian with the Python of its release; there is no `python` after them, and pip may install into the system's Python, as in Ubuntu 22.04. */
export const TORCH_OF_DEBIAN = [
  "apt-get update && apt-get install --yes --no-install-recommends python3-torch python3-torchvision && rm -rf /var/lib/apt/lists/*",
  "cd /usr/lib/python3/dist-packages && ln -s $(ls -d $PWD/torch $PWD/torch-* $PWD/torchgen $PWD/torchvision $PWD/torchvision-* $PWD/functorch) /usr/local/lib/python3.*/dist-packages/",
  // That of this Debian cannot be upgraded by itself, as Ubuntu's can.
  "python3 -m pip install --ignore-installed pip",
  "rm -f /usr/bin/python /usr/local/bin/python*",
  "echo 'path-exclude=/usr/lib/python3*/EXTERNALLY-MANAGED' > /etc/dpkg/dpkg.cfg.d/pip && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED",
] as const;
