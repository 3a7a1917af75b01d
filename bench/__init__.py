"""Comparisons that anyone can run; each ends with one line of JSON.

`python -m bench.platform` (`make bench`): what the platform adds to its speech worker.
`python -m bench.worker` (`make bench-worker`): the speech worker alone.
`python -m bench.deployments` (`make bench-deployments`): how fast deployments come, wake and grow.
"""

# First of all: it keeps onnxruntime from telling its maker what it runs.
import gpu_worker  # noqa: F401
