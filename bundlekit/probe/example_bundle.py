"""The small sound bundle that the dynamic rules' examples are variations of."""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["SOUND", "varied"]

SOUND: Mapping[str, str] = {
    "pyproject.toml": """\
[project]
name = "tiny"
version = "1"
dependencies = []
[project.entry-points."modelops.wire"]
execute = "tiny.model:wire"
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[tool.setuptools]
packages = ["tiny"]
[tool.bundlekit]
targets = ["tiny.model:loss"]
[[tool.bundlekit.smoke]]
entrypoint = "main"
seed = 1
""",
    "tiny/__init__.py": "",
    "tiny/model.py": """\
import base64


def wire(entrypoint, params, seed):
    return {"raw": b"ok"}


def loss(sim_returns, target_data=None):
    data = sim_returns[0]["outputs"]["raw"]["inline"]
    data = base64.b64decode(data) if isinstance(data, str) else data
    return {"loss": float(len(data))}
""",
}


def varied(*changes: tuple[str, str], more: Mapping[str, str] = MappingProxyType({})) -> Mapping[str, str]:
    """Return the sound bundle with each text of `changes` replaced, and the files of `more` added."""
    bundle = dict(SOUND)
    for old, new in changes:
        bundle = {path: text.replace(old, new) for path, text in bundle.items()}
    return bundle | dict(more)
