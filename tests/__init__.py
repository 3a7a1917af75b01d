# First of all: it keeps onnxruntime from telling its maker what it runs.
import gpu_worker  # noqa: F401
