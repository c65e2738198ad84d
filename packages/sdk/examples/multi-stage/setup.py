from Cython.Build import cythonize
from setuptools import Extension, setup

extension = Extension("my_optimized_package.fast", ["src/my_optimized_package/fast.pyx"], libraries=["custom"])

setup(
    name="my-optimized-package",
    version="1.0",
    package_dir={"": "src"},
    packages=["my_optimized_package"],
    ext_modules=cythonize([extension], language_level=3),
)
