"""Build simulation-model bundles and prove, before submission, that they will run on the cluster.

Importing this package does no work: the use cases are in :mod:`bundlekit.api`.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
