"""Container images as code: `Image`, `App` and `Secret`, and the client of a platform."""

from ._build import BuildResult
from ._errors import LaminaError, SourceLocation
from ._layer_results import LayerResult
from ._plan import ImagePlan, PlannedLayer, Upload
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
