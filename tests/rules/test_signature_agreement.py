"""The signature read from source is the one that `inspect` gives of the running object (PEERS item 10: one truth)."""

import importlib.util
import inspect
import sys
from pathlib import Path

import pytest
from builders.bundles import make_bundle, pyproject

from bundlekit.check.engine import StaticAnswers
from bundlekit.model.signature import CallableKind, Signature, Unknown
from bundlekit.read.project import read_project

_SOURCES: dict[str, str] = {
    "plain": "def wire(a, b, c): ...",
    "all-kinds": "def wire(a, b=1, /, c=2, *args, d, e=3, **kwargs): ...",
    "keyword-only": "def wire(a, *, b, c=1): ...",
    "lambda": "wire = lambda a, *b, c=1, **d: 0",
    "async": "async def wire(a): ...",
    "generator": "def wire(a):\n    if a:\n        yield 1",
    "generator-in-lambda-body": "wire = lambda: (yield)",
    "yield-in-nested-class": "def wire():\n    class A:\n        x = lambda: (yield)\n    return A",
    "partial-positional": "import functools\ndef f(a, b, /, c, *, d): ...\nwire = functools.partial(f, 1)",
    "partial-keyword": "import functools\ndef f(a, b, c=1, *, d): ...\nwire = functools.partial(f, b=2)",
    "partial-keyword-first": "import functools\ndef f(a, b, *args, **k): ...\nwire = functools.partial(f, a=2)",
    "partial-keyword-only": "import functools\ndef f(a, *, d): ...\nwire = functools.partial(f, d=2)",
    "partial-extra-keyword": "import functools\ndef f(a, **k): ...\nwire = functools.partial(f, z=2)",
    "partial-star": "import functools\ndef f(a, *args): ...\nwire = functools.partial(f, 1, 2, 3)",
    "partial-of-partial": "import functools\ndef f(a, b, c): ...\nwire = functools.partial(functools.partial(f, 1), 2)",
    "class": "class wire:\n    def __init__(self, a, *, b=1): ...",
    "class-without-init": "class wire:\n    pass",
    "class-new": "class wire:\n    def __new__(cls, a): ...",
    "inherited-init": "class B:\n    def __init__(self, a): ...\nclass wire(B):\n    pass",
    "star-self": "class wire:\n    def __init__(*args): ...",
    "instance": "class A:\n    def __call__(self, a, b=1): ...\nwire = A()",
    "bound": "class A:\n    def run(self, a): ...\nwire = A().run",
    "unbound": "class A:\n    def run(self, a): ...\nwire = A.run",
    "static": "class A:\n    @staticmethod\n    def run(a): ...\nwire = A().run",
    "class-method": "class A:\n    @classmethod\n    def run(cls, a): ...\nwire = A().run",
    "nested-class": "class A:\n    class B:\n        def __init__(self, x): ...\nwire = A.B",
    "total-ordering": (
        "import functools\n@functools.total_ordering\nclass wire:\n"
        "    def __init__(self, x): ...\n    def __lt__(self, o): ..."
    ),
    "generic": "import typing\nT = typing.TypeVar('T')\nclass wire(typing.Generic[T]):\n    def __init__(self, x): ...",
    "cache": "import functools\n@functools.cache\ndef wire(a): ...",
    "wraps": "import functools\ndef f(a, b): ...\n@functools.wraps(f)\ndef wire(*args): ...",
    "context-manager": "import contextlib\n@contextlib.contextmanager\ndef wire(a):\n    yield 1",
    "final": "import typing\n@typing.final\ndef wire(a): ...",
    "static-function": "@staticmethod\ndef wire(a): ...",
    "redefined": "def wire(a): ...\ndef wire(a, b): ...",
    "decorated-by-assignment": "import functools\ndef wire(a): ...\nwire = functools.lru_cache(wire)",
}

_KINDS = {CallableKind.COROUTINE: inspect.iscoroutinefunction, CallableKind.GENERATOR: inspect.isgeneratorfunction}


def _loaded(path: Path) -> object:
    spec = importlib.util.spec_from_file_location("loaded_wire", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module.wire


@pytest.mark.parametrize("source", _SOURCES.values(), ids=_SOURCES)
def test_the_static_signature_is_the_running_one(source: str, tmp_path: Path) -> None:
    """Names, kinds and which have defaults; and what kind of thing a call gives."""
    make_bundle(tmp_path, {"model/wire.py": source + "\n"})
    ours = StaticAnswers(read_project(tmp_path)).wire_signature()
    running = _loaded(tmp_path / "model/wire.py")
    assert isinstance(ours, Signature)
    assert callable(running)
    theirs = inspect.signature(running)
    assert [(p.name, p.kind.value, p.has_default) for p in ours.parameters] == [
        (p.name, p.kind.name, p.default is not p.empty) for p in theirs.parameters.values()
    ]
    assert all(test(running) == (ours.kind is kind) for kind, test in _KINDS.items())


_UNSURE = {
    "partial-keywords-unpacked": "import functools\ndef f(a): ...\nwire = functools.partial(f, **{})",
    "partial-unknown-keyword": "import functools\ndef f(a): ...\nwire = functools.partial(f, z=1)",
    "partial-of-nothing": "import functools\nwire = functools.partial()",
    "wraps-unknown": "import functools\n@functools.wraps(print)\ndef wire(a): ...",
    "bare-calibration": "from lab import calibration_target\n@calibration_target\ndef wire(a): ...",
    "attribute-of-instance-made-by-class-attribute": "class A:\n    run = print\nwire = A.run",
    "class-with-unknown-decorator": "import lab\n@lab.register\nclass wire:\n    pass",
    "decorated-class-attribute": "import lab\nclass A:\n    @lab.task\n    def run(self): ...\nwire = A.run",
    "too-deep": "import lab\nwire = lab" + ".x" * 800,
    "non-literal-all": "from .names import *\n",
    "signature-set": "def wire(a): ...\nwire.__signature__ = None",
}


@pytest.mark.parametrize("source", _UNSURE.values(), ids=_UNSURE)
def test_what_is_not_sure_is_unknown(source: str, tmp_path: Path) -> None:
    """A wrong signature would be worse than none."""
    files = {
        "pyproject.toml": pyproject(project='dependencies = ["lab"]'),
        "model/wire.py": source + "\n",
        "model/__init__.py": "from .wire import wire\n",
        "model/names.py": "__all__ = [name for name in 'abc']\nimport os\nif os.name:\n    def wire(): ...\n",
    }
    make_bundle(tmp_path, files)
    assert isinstance(StaticAnswers(read_project(tmp_path)).wire_signature(), Unknown)
