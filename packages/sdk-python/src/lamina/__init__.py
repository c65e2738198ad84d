"""Container images as code: `Image`, `App` and `Secret`, and the client of a platform.

Importing it takes nothing but the standard library, so that a module that describes its image can be imported in that
image too; what else the package depends on is imported when a platform is talked to.
"""

from ._errors import LaminaError, SourceLocation
from ._results import BuildResult, ImagePlan, LayerResult, PlannedLayer, Upload
from ._version import VERSION
from .app import App
from .image import Image
from .secret import Secret

__version__ = VERSION

__all__ = [
    "App",
    "BuildResult",
    "Image",
    "ImagePlan",
    "LaminaError",
    "LayerResult",
    "PlannedLayer",
    "Secret",
    "SourceLocation",
    "Upload",
    "__version__",
]
