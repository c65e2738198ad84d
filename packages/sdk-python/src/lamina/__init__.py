"""Container images as code: `Image`, `App` and `Secret`, and the client of a platform.

Importing it takes nothing but the standard library, so that a module that describes its image can be imported in that
image too; what else the package depends on is imported when a platform is talked to.
"""

import sys

# In an image there may be an older Python than the one that installed this.
if sys.version_info < (3, 10):  # noqa: UP036
    raise ImportError(
        "The package lamina is for Python 3.10 and newer, and this is {}.{}. Have a newer one in the image, "
        'as by debian_slim(python_version="3.13"), or keep what imports lamina apart from what runs there.'.format(*sys.version_info)
    )

from ._container import is_local
from ._errors import CallTimeoutError, LaminaError, RemoteError, SourceLocation
from ._functions.call import FunctionCall
from ._functions.cls import Cls, enter, exit, method  # noqa: A004 - named as what it marks
from ._functions.concurrent import concurrent
from ._functions.deployment import Deployment
from ._functions.function import Function
from ._functions.options import FunctionOptions, Retries
from ._functions.session import enable_output
from ._results import BuildResult, ImagePlan, LayerResult, PlannedLayer, Upload
from ._version import VERSION
from .app import App
from .image import Image
from .secret import Secret

__version__ = VERSION

__all__ = [
    "App",
    "BuildResult",
    "CallTimeoutError",
    "Cls",
    "Deployment",
    "Function",
    "FunctionCall",
    "FunctionOptions",
    "Image",
    "ImagePlan",
    "LaminaError",
    "LayerResult",
    "PlannedLayer",
    "RemoteError",
    "Retries",
    "Secret",
    "SourceLocation",
    "Upload",
    "__version__",
    "concurrent",
    "enable_output",
    "enter",
    "exit",
    "is_local",
    "method",
]
