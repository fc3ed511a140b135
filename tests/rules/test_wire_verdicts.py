"""BK3xx on code as people write it: what is found, and what is left alone because it imports."""

# ruff: noqa: E501 - a row of a table is one line

from pathlib import Path

import pytest
from builders.bundles import GOOD_WIRE, findings_of, make_bundle, pyproject

from bundlekit.model.finding import Finding, Severity

_BODY = '    return {"result": b"1"}\n'
_ABC = f"(entrypoint, params, seed):\n{_BODY}"


def _wire_codes(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in findings if finding.code.startswith("BK3")]


def _about_wires(root: Path) -> list[Finding]:
    """Return what is found but for state that could leak, which some of the rows have on the way."""
    return [finding for finding in findings_of(root) if not finding.code.startswith("BK8")]


_FINDS: dict[str, tuple[str, str]] = {
    "no-parameters": ("BK307", f"def wire():\n{_BODY}"),
    "two": ("BK307", f"def wire(entrypoint, params):\n{_BODY}"),
    "four": ("BK307", f"def wire(a, b, c, d):\n{_BODY}"),
    "keyword-only-seed": ("BK307", f"def wire(a, b, *, seed):\n{_BODY}"),
    "required-keyword": ("BK307", f"def wire(a, b, c, *, d):\n{_BODY}"),
    "lambda-of-two": ("BK307", "wire = lambda a, b: {'a': b'1'}\n"),
    "partial-takes-one-away": ("BK307", f"import functools\ndef _w{_ABC}wire = functools.partial(_w, 'x')\n"),
    "class-init": ("BK307", "class wire:\n    def __init__(self, a):\n        self.a = a\n"),
    "instance-call": ("BK307", "class W:\n    def __call__(self, a): ...\nwire = W()\n"),
    "async": ("BK308", f"async def wire{_ABC}"),
    "generator": ("BK308", "def wire(a, b, c):\n    yield {}\n"),
    "async-generator": ("BK308", "async def wire(a, b, c):\n    yield {}\n"),
    "cached-async": ("BK308", f"from functools import cache\n@cache\nasync def wire{_ABC}"),
    "nested": ("BK305", f"def make():\n    def wire{_ABC.replace('    ', '        ')}    return wire\n"),
    "method": ("BK305", "class Model:\n    def wire(self, a, b, c): ...\n"),
    "deleted": ("BK305", f"def wire{_ABC}del wire\n"),
    "only-for-types": ("BK305", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    def wire(a, b, c): ...\n"),
    "only-as-script": ("BK305", f"if __name__ == '__main__':\n    def wire(a, b, c):\n    {_BODY}"),
    "only-old-python": ("BK305", f"import sys\nif sys.version_info < (3, 8):\n    def wire(a, b, c):\n    {_BODY}"),
    "re-export-of-nothing": ("BK330", "from .other import wire\n"),
    "re-export-from-nowhere": ("BK330", "from .absent import wire\n"),
    "relative-beyond-top": ("BK330", "from ...absent import wire\n"),
    "number": ("BK306", "wire = 3\n"),
    "string": ("BK306", "wire = 'model.wire:run'\n"),
    "none": ("BK306", "wire = None\n"),
    "dictionary": ("BK306", "wire = dict = {}\n"),
    "instance": ("BK306", "class W:\n    pass\nwire = W()\n"),
    "annotated-list": ("BK306", "wire: list = [1]\n"),
    "class-attribute-constant": ("BK306", "class W:\n    value = 1\nwire = W.value\n"),
    "a-module": ("BK306", "from . import other as wire\n"),
    "duplicate-arguments": ("BK311", f"def wire(a, a, b):\n{_BODY}"),
    "return-outside": ("BK311", f"def wire{_ABC}return 1\n"),
    "unknown-future": ("BK311", f"from __future__ import braces_please\ndef wire{_ABC}"),
    "star-import-from-nowhere": ("BK330", "from .absent import *\n"),
    "empty-module": ("BK305", ""),
    "star-import-without-it": ("BK305", "from .other import *\n"),
    "star-import-hidden-by-all": ("BK305", "from .listed import *\n"),
    "cache-of-nothing": ("BK330", "import functools\nfrom .other import absent\nwire = functools.cache(absent)\n"),
}


@pytest.mark.parametrize(("code", "source"), _FINDS.values(), ids=_FINDS)
def test_a_wire_that_certainly_fails_is_found(code: str, source: str, tmp_path: Path) -> None:
    """Each of these fails on the worker; the code says how."""
    make_bundle(
        tmp_path,
        {
            "model/wire.py": source,
            "model/other.py": "def simulate(): ...\n",
            "model/listed.py": "__all__ = ['simulate']\ndef simulate(): ...\ndef wire(a, b, c): ...\n",
        },
    )
    found = [finding for finding in findings_of(tmp_path) if finding.severity is Severity.ERROR]
    assert _wire_codes(found) == [code]


_LEAVES_ALONE: dict[str, str] = {
    "defaults": "def wire(entrypoint, params, seed=0, *, verbose=False): ...\n",
    "positional-only": "def wire(entrypoint, params, seed, /): ...\n",
    "star-args": "def wire(*args): ...\n",
    "star-args-and-keywords": "def wire(entrypoint, *args, **kwargs): ...\n",
    "byte-order-mark": "\ufeff" + GOOD_WIRE,
    "crlf": GOOD_WIRE.replace("\n", "\r\n"),
    "form-feed": "\f" + GOOD_WIRE,
    "no-final-newline": GOOD_WIRE.rstrip(),
    "lambda": "wire = lambda e, p, s: {'a': b'1'}\n",
    "alias": f"def _run{_ABC}wire = _run\n",
    "alias-chain": f"def _run{_ABC}a = b = _run\nwire = b\n",
    "re-export": "from .other import simulate as wire\n",
    "re-export-absolute": "from model.other import simulate as wire\n",
    "module-attribute": "import model.other\nwire = model.other.simulate\n",
    "module-alias": "import model.other as m\nwire = m.simulate\n",
    "star-import": "from .other import *\nwire = simulate\n",
    "star-import-with-all": "from .listed import *\n",
    "partial": "from functools import partial\ndef _w(model, entrypoint, params, seed): ...\nwire = partial(_w, 'sir')\n",
    "cache": f"import functools\n@functools.lru_cache(maxsize=None)\ndef wire{_ABC}",
    "cache-by-call": f"import functools\ndef _w{_ABC}wire = functools.cache(_w)\n",
    "wraps": f"import functools\ndef _w{_ABC}@functools.wraps(_w)\ndef wire(*a, **k): ...\n",
    "wraps-the-same": f"import functools\ndef _w{_ABC}@functools.wraps(_w)\ndef wire(entrypoint, params, seed): ...\n",
    "class": "class wire:\n    def __init__(self, a, b, c): ...\n",
    "class-new": "class wire(object):\n    def __new__(cls, a, b, c): ...\n",
    "instance-with-call": "class W:\n    def __call__(self, a, b, c): ...\nwire = W()\n",
    "inherited-call": "class B:\n    def __call__(self, a, b, c): ...\nclass W(B):\n    pass\nwire = W()\n",
    "static-method": "class W:\n    @staticmethod\n    def run(a, b, c): ...\nwire = W.run\n",
    "class-method": "class W:\n    @classmethod\n    def run(cls, a, b, c): ...\nwire = W.run\n",
    "bound-method": "class W:\n    def run(self, a, b, c): ...\nwire = W().run\n",
    "both-branches": "import sys\nif sys.platform == 'linux':\n    def wire(a, b, c): ...\nelse:\n    def wire(a, b, c): ...\n",
    "fallback": "try:\n    from .absent import wire\nexcept ImportError:\n    from .other import simulate as wire\n",
    "redefined": "def wire(): ...\ndef wire(a, b, c): ...\n",
    "new-python": "import sys\nif sys.version_info >= (3, 11):\n    def wire(a, b, c): ...\nelse:\n    wire = None\n",
    "in-with": "import warnings\nwith warnings.catch_warnings():\n    def wire(a, b, c): ...\n",
    "try-finally": "try:\n    def wire(a, b, c): ...\nfinally:\n    pass\n",
    "guard-that-raises": "try:\n    from .other import simulate as wire\nexcept ImportError:\n    raise\n",
    "tuple-assignment": f"def _w{_ABC}wire, other = _w, 1\n",
    "conditional-expression": f"import sys\ndef _w{_ABC}wire = _w if sys.platform else _w\n",
    "context-manager-function": "import contextlib\n@contextlib.contextmanager\ndef wire(a, b, c):\n    yield 1\n",
    "not-for-types": "import typing\nif not typing.TYPE_CHECKING:\n    def wire(a, b, c): ...\n",
    "constant-condition": "if True:\n    def wire(a, b, c): ...\n",
    "not-as-script": "if __name__ != '__main__':\n    def wire(a, b, c): ...\n",
    "other-branch-raises": "import os\nif os.name == 'nt':\n    raise OSError\nelse:\n    def wire(a, b, c): ...\n",
    "branch-or-raise": "import os\nif os.name:\n    def wire(a, b, c): ...\nelse:\n    raise OSError\n",
    "handler-exits": "import sys\ntry:\n    from .other import simulate as wire\nexcept ImportError:\n    sys.exit(1)\n",
    "guard": "import os\nif not os.name:\n    raise OSError\ndef wire(a, b, c): ...\n",
    "absolute-import-of-package": "import model.other as other\nfrom model import other as again\nwire = again.simulate\n",
    "nested-yield": "def wire(a, b, c):\n    def rows():\n        yield 1\n    return {'a': b'1'}\n",
}


@pytest.mark.parametrize("source", _LEAVES_ALONE.values(), ids=_LEAVES_ALONE)
def test_a_wire_that_runs_is_left_alone(source: str, tmp_path: Path) -> None:
    """One false alarm, and people remove the hook."""
    make_bundle(
        tmp_path,
        {
            "model/wire.py": source.encode(),
            "model/other.py": "def simulate(entrypoint, params, seed): ...\n",
            "model/listed.py": "__all__ = ('wire',)\ndef wire(a, b, c): ...\ndef _no(): ...\n",
        },
    )
    assert _about_wires(tmp_path) == []


_UNKNOWN: dict[str, tuple[str, str]] = {
    "made-by-a-call": ("built into Python", "def make():\n    return print\nwire = make()\n"),
    "own-decorator": ("decorated", "def d(f):\n    return tables[f]\n@d\ndef wire(): ...\n"),
    "decorator-from-outside": ("decorated", "import numpy as np\n@np.vectorize\ndef wire(): ...\n"),
    "module-getattr": ("__getattr__", "def __getattr__(name):\n    return tables[name]\n"),
    "module-getattr-built-in": ("built into Python", "def __getattr__(name):\n    return print\n"),
    "globals": ("globals()", "globals()['wire'] = print\n"),
    "exec": ("generated code", "exec('wire = print')\n"),
    "setattr": ("sys.modules", "import sys\nsetattr(sys.modules[__name__], 'wire', print)\n"),
    "setattr-by-name": (
        "sets attributes",
        "import importlib\nsetattr(importlib.import_module('model.wire'), str(1), print)\n",
    ),
    "global-statement": ("global", "def set_up():\n    global wire\n    wire = print\nset_up()\n"),
    "walrus": ("expression", "if (wire := print):\n    pass\n"),
    "sys-modules": ("sys.modules", "import sys\nsys.modules[__name__] = object()\n"),
    "from-a-dependency": ("numpy", "from numpy import array as wire\n"),
    "star-from-a-dependency": ("star import", "from numpy import *\n"),
    "built-in": ("built into Python", "wire = print\n"),
    "conditional": ("condition", "import os\nif os.environ.get('X'):\n    def wire(a, b, c): ...\n"),
    "different-branches": ("different ways", "import os\nif os.name:\n    def wire(a): ...\nelse:\n    wire = None\n"),
    "loop": ("loop", "for wire in (print,):\n    pass\n"),
    "while": ("condition", "import os\nwhile os.name:\n    def wire(a, b, c): ...\n    break\n"),
    "match": ("condition", "import os\nmatch os.name:\n    case 'posix':\n        def wire(a, b, c): ...\n"),
    "with-as": ("context manager", "import os\nwith os.scandir() as wire:\n    pass\n"),
    "suppressed": (
        "condition",
        "import contextlib\nwith contextlib.suppress(ImportError):\n    from .other import wire\n",
    ),
    "unpacked": ("unpacked", "wire, other = make()\n"),
    "not-known": ("condition", "import os\nif not os.name:\n    def wire(a, b, c): ...\n"),
    "newer-python": ("condition", "import sys\nif sys.version_info >= (3, 14):\n    def wire(a, b, c): ...\n"),
    "too-deep": ("too deeply", "import numpy\nwire = numpy" + ".x" * 970 + "\n"),
    "base-too-deep": ("too deeply", "import numpy\nclass wire(numpy" + ".x" * 970 + "): ...\n"),
    "changed-in-place": ("changed in place", "wire = []\nwire += [1]\n"),
    "maybe-deleted": ("deleted", "import os\ndef wire(a, b, c): ...\nif os.name:\n    del wire\n"),
    "base-from-outside": ("base class", "import numpy\nclass W(numpy.ndarray):\n    pass\nwire = W\n"),
    "metaclass": ("metaclass", "import numpy\nclass wire(metaclass=numpy.meta):\n    pass\n"),
    "dataclass": ("fields", "import dataclasses\n@dataclasses.dataclass\nclass wire:\n    if print:\n        a: int\n"),
    "instance-attribute": ("instances", "class W:\n    pass\nwire = W().run\n"),
    "instance-of-new": ("__new__", "class W:\n    def __new__(cls): ...\nwire = W()\n"),
    "partial-unpacked": ("unpacked", "import functools\nwire = functools.partial(*[print])\n"),
    "partial-too-many": ("does not take", "import functools\ndef f(): ...\nwire = functools.partial(f, 1)\n"),
    "partial-of-unknown": ("numpy", "import functools, numpy\nwire = functools.partial(numpy.sum, 1)\n"),
    "item": ("an item", "wire = [print][0]\n"),
    "computed": ("computed", "wire = print or 1\n"),
    "unbound": ("not bound", "wire = later\nlater = print\n"),
    "attribute-of-function": ("attributes of the function", "def f(): ...\nwire = f.run\n"),
    "attribute-of-constant": ("attribute of", "wire = 'x'.join\n"),
    "wrapper-with-its-own-parameters": (
        "parameters of its own",
        "import functools\ndef _w(m, a, b, c): ...\n@functools.wraps(_w)\ndef wire(a, b, c):\n    return _w(1, a, b, c)\n",
    ),
    "placeholder-for-globals": ("globals()", "wire = None\nglobals().update(wire=print)\n"),
    "placeholder-for-a-global": ("global", "wire = None\ndef f():\n    global wire\n    wire = print\nf()\n"),
    "placeholder-set-from-elsewhere": ("assigns an attribute", "wire = None\nimport model.patch\n"),
    "class-attribute-set-later": ("assigns an attribute", "class W:\n    pass\nW.go = print\nwire = W.go\n"),
    "class-attribute-set-by-name": (
        "assigns an attribute",
        "class W:\n    pass\nsetattr(W, 'go', print)\nwire = W.go\n",
    ),
    "class-attribute-set-by-base": (
        "assigns an attribute",
        "class B:\n    def __init_subclass__(cls):\n        cls.go = print\nclass W(B):\n    pass\nwire = W.go\n",
    ),
    "call-set-later": ("assigns an attribute", "class W:\n    pass\nW.__call__ = print\nwire = W()\n"),
    "circular": ("circular", "from .circle import wire\n"),
    "set-from-elsewhere": ("assigns an attribute", "import model.patch\n"),
    "conditional-method": (
        "condition",
        "import os\nclass W:\n    if os.name:\n        def run(self): ...\nwire = W.run\n",
    ),
    "self-less-method": ("no place for its first argument", "class W:\n    def run(): ...\nwire = W().run\n"),
    "keyword-only-method": ("no place for its first argument", "class W:\n    def run(*, a): ...\nwire = W().run\n"),
    "call-is-data": ("no function", "class W:\n    __call__ = 1\nwire = W()\n"),
    "call-of-a-constant": ("returns", "def f(g):\n    return g\nwire = f(1)(2)\n"),
}


@pytest.mark.parametrize(("reason", "source"), _UNKNOWN.values(), ids=_UNKNOWN)
def test_a_wire_in_doubt_is_information_with_its_reason(reason: str, source: str, tmp_path: Path) -> None:
    """Unknown is never an error and never silence: the import stage settles it."""
    make_bundle(
        tmp_path,
        {
            "pyproject.toml": pyproject(project='dependencies = ["numpy==2.1.0"]'),
            "model/wire.py": source,
            "model/other.py": "def wire(a, b, c): ...\n",
            "model/circle.py": "from .wire import wire\n",
            "model/patch.py": "import model.wire\nmodel.wire.wire = print\n" if "patch" in source else "",
        },
    )
    found = _about_wires(tmp_path)
    assert [(finding.code, finding.severity) for finding in found] == [("BK309", Severity.INFO)]
    assert reason in found[0].message


_LAYOUTS: dict[str, tuple[str, dict[str, str]]] = {
    "flat": ("pkg.wire:wire", {"pkg/__init__.py": "", "pkg/wire.py": GOOD_WIRE}),
    "flat-namespace": ("pkg.wire:wire", {"pkg/wire.py": GOOD_WIRE}),
    "src": ("pkg.wire:wire", {"src/pkg/__init__.py": "", "src/pkg/wire.py": GOOD_WIRE}),
    "src-namespace": ("pkg.sub.wire:wire", {"src/pkg/sub/wire.py": GOOD_WIRE}),
    "src-by-its-name": ("src.pkg.wire:wire", {"src/pkg/wire.py": GOOD_WIRE}),
    "root-module": ("single:wire", {"single.py": GOOD_WIRE}),
    "package-over-module": ("pkg:wire", {"pkg/__init__.py": GOOD_WIRE, "pkg.py": "wire = 1\n"}),
    "module-over-namespace": ("pkg:wire", {"pkg/data.txt": "", "pkg.py": GOOD_WIRE}),
    "portions": ("pkg.b:wire", {"src/pkg/a.py": "", "pkg/b.py": GOOD_WIRE}),
    "in-init": ("pkg:wire", {"pkg/__init__.py": "from .core import wire\n", "pkg/core.py": GOOD_WIRE}),
    "attribute-of-class": ("pkg:W.run", {"pkg.py": "class W:\n    @staticmethod\n    def run(a, b, c): ...\n"}),
    "spaces": (" pkg.wire : wire ", {"pkg/wire.py": GOOD_WIRE}),
    "unicode": ("modèle:fonction", {"modèle.py": "def fonction(a, b, c): ...\n"}),
}


@pytest.mark.parametrize(("wire", "files"), _LAYOUTS.values(), ids=_LAYOUTS)
def test_every_layout_that_imports_is_left_alone(wire: str, files: dict[str, str], tmp_path: Path) -> None:
    """Flat, src and namespace layouts, with and without __init__.py."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(wire=wire), **files})
    assert findings_of(tmp_path) == []


_ELSEWHERE: dict[str, tuple[str, str, dict[str, str]]] = {
    "extension": (
        "pkg._core:wire",
        "compiled extension",
        {"pkg/__init__.py": "", "pkg/_core.cpython-311-x86_64-linux-gnu.so": ""},
    ),
    "extension-attribute": (
        "pkg:_core.wire",
        "compiled extension",
        {"pkg/__init__.py": "", "pkg/_core.cpython-311-x86_64-linux-gnu.so": ""},
    ),
    "compiled-package": ("pkg.core:wire", "compiled package", {"pkg/core/__init__.abi3.so": "", "pkg/core/x.py": ""}),
    "to-be-compiled": ("pkg.core:wire", "may be compiled", {"pkg/__init__.py": "", "pkg/core.pyx": ""}),
    "path-changed-by-package": ("pkg.core:wire", "changes where", {"pkg/__init__.py": "__path__.append('x')\n"}),
    "path-changed-by-module": ("pkg.core:wire", "changes where", {"pkg.py": "__path__ = ['x']\n"}),
    "path-changed": (
        "elsewhere:wire",
        "may change the import path",
        {"pkg/__init__.py": "import sys\nsys.path.append('lib')\n"},
    ),
    "standard-library": ("json:loads", "standard library", {}),
    "installer": ("setuptools:setup", "installer", {}),
    "submodule-attribute": (
        "pkg:core.wire",
        "only if something imports it",
        {"pkg/__init__.py": "", "pkg/core.py": GOOD_WIRE},
    ),
}


@pytest.mark.parametrize(("wire", "reason", "files"), _ELSEWHERE.values(), ids=_ELSEWHERE)
def test_a_module_that_may_come_from_elsewhere_is_information(
    wire: str, reason: str, files: dict[str, str], tmp_path: Path
) -> None:
    """Static code cannot see compiled modules, dependencies or changed import paths."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(wire=wire), **files})
    found = findings_of(tmp_path)
    assert [finding.code for finding in found] == ["BK309"]
    assert reason in found[0].message


_MISSING: dict[str, tuple[str, str, dict[str, str]]] = {
    "top-level": ("modle.wire:wire", "name 'model.wire:wire': line 1 of model/wire.py defines it", {}),
    "top-level-other-object": ("modle.wire:run", "nearest name: model", {}),
    "submodule": ("model.wires:run", "nearest name: model.wire", {}),
    "under-a-module": ("single.wire:run", "correct the reference", {"single.py": ""}),
    "namespace": ("space.wires:wire", "name 'space.wire:wire'", {"space/wire.py": GOOD_WIRE}),
    "namespace-other-object": ("space.wires:run", "nearest name: space.wire", {"space/wire.py": GOOD_WIRE}),
    "deep": ("model.a.b.c:run", "modules there: wire", {}),
    "assigned": ("model.wires:run", "name 'model.run:run'", {"model/run.py": "run = lambda a, b, c: {}\n"}),
    "in-src": ("pkg.wire:run", "name 'pkg.core:run'", {"src/pkg/core.py": "def run(a, b, c): ...\n"}),
    "only-in-a-test": ("model.wires:run", "nearest name", {"model/tests/test_run.py": "def run(a, b, c): ...\n"}),
    "not-a-function": ("model.wires:run", "nearest name", {"model/run.py": "run = 1\n"}),
    "broken-elsewhere": ("model.wires:run", "nearest name", {"model/run.py": "def run(:\n"}),
    "unreachable": ("model.wires:run", "nearest name", {"no-name/run.py": "def run(a, b, c): ...\n"}),
}


@pytest.mark.parametrize(("wire", "hint", "files"), _MISSING.values(), ids=_MISSING)
def test_a_module_that_is_certainly_missing_has_a_hint(
    wire: str, hint: str, files: dict[str, str], tmp_path: Path
) -> None:
    """Without dependencies nothing else can bring a module."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(wire=wire), **files})
    found = [finding for finding in findings_of(tmp_path) if finding.code == "BK304"]
    assert [hint in (finding.hint or "") for finding in found] == [True]


_MISTYPED = {
    "entry-point": '[project.entry-points."modelops.wire"]\nexecute = 7\n',
    "group": '[project.entry-points]\n"modelops.wire" = "model.wire:wire"\n',
    "groups": 'entry-points = ["modelops.wire"]\n',
}


@pytest.mark.parametrize("lines", _MISTYPED.values(), ids=_MISTYPED)
def test_an_entry_point_of_the_wrong_type_is_one_finding(lines: str, tmp_path: Path) -> None:
    """To be told that there is none, when one is there, sends its author elsewhere."""
    make_bundle(tmp_path, {"pyproject.toml": f'[project]\nname = "model"\nversion = "1.0"\n{lines}'})
    assert [finding.code for finding in findings_of(tmp_path)] == ["BK104"]


_LEFT_OUT: dict[str, tuple[str, str, dict[str, str]]] = {
    "module": ("model.wire:wire", "model/wire.py is left out by model/w*.py (.modelopsignore)", {}),
    "default": ("build.wire:wire", "build/wire.py is left out by build/ (default)", {"build/wire.py": GOOD_WIRE}),
    "package": ("env:wire", "env/__init__.py is left out by env/ (default)", {"env/__init__.py": GOOD_WIRE}),
    "in-src": ("m.wire:wire", "src/m/wire.py is left out by src/m/w*.py", {"src/m/wire.py": ""}),
    "imported": ("model:wire", "model/wire.py is left out by", {"model/__init__.py": "from .wire import wire\n"}),
}


@pytest.mark.parametrize(("wire", "message", "files"), _LEFT_OUT.values(), ids=_LEFT_OUT)
def test_a_module_that_is_left_out_is_not_said_to_be_missing(
    wire: str, message: str, files: dict[str, str], tmp_path: Path
) -> None:
    """Its author sees it in the tree; told that it does not exist, he would look for the mistake elsewhere."""
    ignored = {".modelopsignore": "model/w*.py\nsrc/m/w*.py\nmodel/w\n", "model/w": ""}
    make_bundle(tmp_path, {"pyproject.toml": pyproject(wire=wire), **ignored, **files})
    (found,) = [finding for finding in findings_of(tmp_path) if finding.code in {"BK304", "BK330"}]
    assert message in found.message
    assert "does not exist" not in found.message
    assert "bring it back with include" in (found.hint or "")


def test_a_wire_file_that_is_left_out_is_not_said_to_be_missing(tmp_path: Path) -> None:
    """The same for the form that names a file."""
    manifest = {".modelops/manifest.json": '{"wire": "runs/wire.py:wire"}', "runs/wire.py": GOOD_WIRE}
    text = '[project]\nname = "model"\nversion = "1.0"\n'
    make_bundle(tmp_path, {"pyproject.toml": text, **manifest, ".modelopsignore": "runs/\n"})
    (found,) = [finding for finding in findings_of(tmp_path) if finding.code == "BK304"]
    assert "would not ship: runs/wire.py is left out by runs/ (.modelopsignore)" in found.message


def test_an_empty_module_has_nothing_to_hint_at(tmp_path: Path) -> None:
    """A file that was made and never written is told in as many words."""
    make_bundle(tmp_path, {"model/wire.py": ""})
    (found,) = findings_of(tmp_path)
    assert (found.code, found.hint) == ("BK305", "define 'wire' in model/wire.py, or correct the reference")


def test_a_namesake_that_is_nested_too_deeply_is_no_hint(tmp_path: Path) -> None:
    """Looking for what was meant reads sources that nothing refers to, and must survive them too."""
    deep = "import numpy\nclass wire(numpy" + ".x" * 985 + "): ...\n"
    text = pyproject(project='dependencies = ["numpy"]')
    make_bundle(tmp_path, {"pyproject.toml": text, "model/wire.py": "def run(): ...\n", "model/other.py": deep})
    (found,) = findings_of(tmp_path)
    assert (found.code, found.hint) == ("BK305", "model/wire.py defines: run")


def test_a_module_may_come_from_a_declared_dependency(tmp_path: Path) -> None:
    """The same reference that is an error without dependencies is open with one."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(wire="emodlib.wire:wire", project='dependencies = ["emodlib"]')})
    assert [finding.code for finding in findings_of(tmp_path)] == ["BK309"]


def test_a_namespace_that_a_dependency_may_continue_is_open(tmp_path: Path) -> None:
    """google-cloud-storage continues google; the bundle's own directory of that name does not end it."""
    text = pyproject(wire="google.cloud:wire", project='dependencies = ["google-cloud"]')
    make_bundle(tmp_path, {"pyproject.toml": text, "google/own.py": ""})
    assert [finding.code for finding in findings_of(tmp_path)] == ["BK309"]


def test_an_attribute_of_a_namespace_package_is_missing(tmp_path: Path) -> None:
    """A namespace package has submodules and nothing else."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(wire="space:wire"), "space/run.py": GOOD_WIRE})
    assert [finding.code for finding in findings_of(tmp_path)] == ["BK305"]


def test_a_reference_to_a_module_says_how_to_name_the_function(tmp_path: Path) -> None:
    """`model:wire` for `model.wire:wire` is the commonest slip."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(wire="model:wire")})
    (found,) = findings_of(tmp_path)
    assert (found.code, found.hint) == ("BK306", "name a function inside the module: 'model.wire:wire'")


def test_a_reference_to_a_module_without_functions_shows_the_form(tmp_path: Path) -> None:
    """There is nothing to name yet."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(wire="model:data"), "model/data/x.csv": ""})
    (found,) = findings_of(tmp_path)
    assert (found.code, found.hint) == ("BK306", "name a function inside the module: 'package.module:function'")


def test_the_hint_about_a_constant_names_the_functions_beside_it(tmp_path: Path) -> None:
    """One of them is what was meant; private ones, classes and conditional ones are not offered."""
    source = (
        "TABLE = {}\ndef first(a, b, c): ...\nasync def second(a, b, c): ...\ndef _third(): ...\nclass Fourth: ...\n"
        "import os\nif os.name:\n    def fifth(): ...\n"
    )
    make_bundle(tmp_path, {"pyproject.toml": pyproject(wire="model.wire:TABLE"), "model/wire.py": source})
    (found,) = findings_of(tmp_path)
    expected = "name 'model.wire:first' or 'model.wire:second'; that object is in line 1 of model/wire.py"
    assert (found.code, found.hint) == ("BK306", expected)


_DEFINITIONS = {
    "lambda": ("wire = lambda a, b: {'a': b'1'}\n", "write def wire(entrypoint, params, seed)"),
    "instance": (
        "class W:\n    def __call__(self): ...\nwire = W()\n",
        "write def __call__(self, entrypoint, params, seed)",
    ),
    "alias": ("def run(a): ...\nwire = run\n", "write def run(entrypoint, params, seed)"),
}


@pytest.mark.parametrize(("source", "hint"), _DEFINITIONS.values(), ids=_DEFINITIONS)
def test_the_hint_about_a_signature_is_the_line_to_write(source: str, hint: str, tmp_path: Path) -> None:
    """It must be Python whatever the wire is defined by."""
    make_bundle(tmp_path, {"model/wire.py": source})
    assert [(finding.code, finding.hint) for finding in findings_of(tmp_path)] == [("BK307", hint)]


def test_a_name_that_another_module_defines_is_offered(tmp_path: Path) -> None:
    """Functions move; the same name elsewhere is a better guess than a similar one here."""
    files = {"pyproject.toml": pyproject(wire="model.wire:run"), "model/core.py": "\ndef run(a, b, c): ...\n"}
    make_bundle(tmp_path, {**files, "other/run.py": "def run(a, b, c): ...\n", "other/__init__.py": ""})
    (found,) = findings_of(tmp_path)
    assert (found.code, found.hint) == ("BK305", "name 'model.core:run': line 2 of model/core.py defines it")


def test_what_is_missing_on_the_way_is_not_offered(tmp_path: Path) -> None:
    """The wire is there; what it stands for is not, and another wire is not that."""
    files = {"model/wire.py": "class W:\n    pass\nwire = W.go\n", "model/core.py": "def wire(a, b, c): ...\n"}
    make_bundle(tmp_path, files)
    (found,) = findings_of(tmp_path)
    assert (found.code, found.hint) == ("BK305", "define 'go' in model/wire.py, or correct the reference")


def test_looking_for_a_hint_needs_nothing(tmp_path: Path) -> None:
    """A broken source that is only looked at for a hint stays the warning that it is."""
    files = {"pyproject.toml": pyproject(wire="model.wire:run"), "model/core.py": "def run(a, b, c): ...\n)\n"}
    make_bundle(tmp_path, files)
    found = [(finding.code, finding.severity) for finding in findings_of(tmp_path)]
    assert found == [("BK311", Severity.WARNING), ("BK305", Severity.ERROR)]


def test_an_attribute_that_every_module_has_is_no_function(tmp_path: Path) -> None:
    """`model.wire:__name__` is a string."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(wire="model.wire:__name__")})
    assert [finding.code for finding in findings_of(tmp_path)] == ["BK306"]


def test_dynamic_dependencies_leave_a_missing_module_open(tmp_path: Path) -> None:
    """They are known only when the backend has run."""
    text = pyproject(wire="lab.wire:wire", project='dynamic = ["dependencies"]')
    make_bundle(tmp_path, {"pyproject.toml": text})
    assert [finding.code for finding in findings_of(tmp_path)] == ["BK309"]


def test_a_broken_package_makes_its_modules_unimportable(tmp_path: Path) -> None:
    """The package runs before its module; its syntax error is the finding, once."""
    make_bundle(tmp_path, {"model/__init__.py": "def (\n"})
    assert [(f.code, f.severity, f.path) for f in findings_of(tmp_path)] == [
        ("BK311", Severity.ERROR, "model/__init__.py")
    ]


def test_a_broken_source_that_nothing_needs_is_a_warning(tmp_path: Path) -> None:
    """Templates and leftovers ship too; they fail nothing."""
    make_bundle(tmp_path, {"templates/model.py": "def {{ name }}():\n"})
    assert [(f.code, f.severity) for f in findings_of(tmp_path)] == [("BK311", Severity.WARNING)]


_MALFORMED = [
    "a",
    "a:",
    ":b",
    "a:b:c",
    "a/b:c",
    "a-b:c",
    "..a:b",
    "a:b [x]",
    "a:b()",
    "1a:b",
    "a:class",
    "a:b;import os",
]


@pytest.mark.parametrize("value", _MALFORMED)
def test_a_malformed_reference_is_one_finding(value: str, tmp_path: Path) -> None:
    """One grammar for the checker, the environment and the runner."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(wire=value)})
    assert [finding.code for finding in findings_of(tmp_path)] == ["BK303"]


_POETRY = '[tool.poetry]\nname = "model"\nversion = "1"\n[tool.poetry.plugins."modelops.wire"]\nx = "model.wire:wire"\n'
_SETUP_CFG = "[options.entry_points]\nmodelops.wire =\n    x = model.wire:wire\n"
_NOT_INSTALLED: dict[str, tuple[dict[str, str], int | None, str]] = {
    "poetry": ({"pyproject.toml": _POETRY}, 4, "counts only with [project]"),
    "setup.cfg": ({"pyproject.toml": "[build-system]\n", "setup.cfg": _SETUP_CFG}, None, "declare one"),
    "empty-group": ({"pyproject.toml": pyproject().replace("execute", "# execute")}, 5, "declare one"),
}


@pytest.mark.parametrize(("files", "line", "hint"), _NOT_INSTALLED.values(), ids=_NOT_INSTALLED)
def test_a_wire_that_no_runner_installs_is_missing(
    files: dict[str, str], line: int | None, hint: str, tmp_path: Path
) -> None:
    """What no backend installs runs from its tree, and has no entry points whoever declares them."""
    make_bundle(tmp_path, files)
    (found,) = [finding for finding in findings_of(tmp_path) if finding.code.startswith("BK3")]
    assert (found.code, found.line) == ("BK301", line)
    assert hint in (found.hint or "")


_BACKEND = '[build-system]\nrequires = ["{0}"]\nbuild-backend = "{1}"\n'
_SETUPTOOLS = _BACKEND.format("setuptools", "setuptools.build_meta")
_POETRY_CORE = _BACKEND.format("poetry-core", "poetry.core.masonry.api")
_INSTALLED: dict[str, dict[str, str]] = {
    "poetry": {"pyproject.toml": _POETRY + _POETRY_CORE},
    "poetry-elsewhere": {
        "pyproject.toml": f'[tool.poetry]\npackages = [{{include = "model", from = "lib"}}]\n{_POETRY[14:]}{_POETRY_CORE}',
        "lib/model/__init__.py": "",
        "lib/model/wire.py": GOOD_WIRE,
        "model/wire.py": "",
    },
    "setup.cfg": {"pyproject.toml": _SETUPTOOLS, "setup.cfg": f"[metadata]\nname = model\n{_SETUP_CFG}"},
    "setup.cfg-elsewhere": {
        "pyproject.toml": _SETUPTOOLS,
        "setup.cfg": f"[metadata]\nname = model\n[options]\npackage_dir =\n    = lib\n{_SETUP_CFG}",
        "lib/model/__init__.py": "",
        "lib/model/wire.py": GOOD_WIRE,
    },
    "setup.cfg-finds-elsewhere": {
        "pyproject.toml": _SETUPTOOLS,
        "setup.cfg": f"[metadata]\nname = model\n[options.packages.find]\nwhere = lib\n{_SETUP_CFG}",
        "lib/model/__init__.py": "",
        "lib/model/wire.py": GOOD_WIRE,
    },
}


@pytest.mark.parametrize("files", _INSTALLED.values(), ids=_INSTALLED)
def test_a_wire_that_a_build_without_project_installs_is_there(files: dict[str, str], tmp_path: Path) -> None:
    """Poetry 1 and setup.cfg have their own tables, and the cold runner builds such bundles and finds the wire."""
    make_bundle(tmp_path, files)
    assert [finding for finding in findings_of(tmp_path) if finding.severity is Severity.ERROR] == []
    misspelt = {path: text.replace("model.wire:wire", "model.wire:wrie") for path, text in files.items()}
    make_bundle(tmp_path, misspelt)
    assert [finding.code for finding in findings_of(tmp_path) if finding.severity is Severity.ERROR] == ["BK305"]


def test_a_setup_py_without_project_may_declare_the_wire(tmp_path: Path) -> None:
    """The cold runner builds it, and only running setup.py tells its entry points."""
    make_bundle(tmp_path, {"pyproject.toml": "[build-system]\nrequires = []\n", "setup.py": ""})
    (found,) = [finding for finding in findings_of(tmp_path) if finding.code.startswith("BK3")]
    assert (found.code, found.severity) == ("BK309", Severity.INFO)
    assert "setup.py may declare one" in found.message


def test_calabaria_in_requirements_may_bring_the_wire(tmp_path: Path) -> None:
    """Without [project] these are installed all the same."""
    make_bundle(tmp_path, {"pyproject.toml": "[tool.bundlekit]\n", "requirements.txt": "modelops-calabaria\n"})
    assert [finding.code for finding in findings_of(tmp_path) if finding.code.startswith("BK3")] == ["BK309"]


_NO_EP = '[project]\nname = "model"\nversion = "1"\n'


def test_calabaria_as_a_dependency_may_bring_the_wire(tmp_path: Path) -> None:
    """Such bundles declare no wire of their own; that is not an error."""
    text = '[project]\nname = "model"\nversion = "1"\ndependencies = ["modelops-calabaria>=1"]\n'
    make_bundle(tmp_path, {"pyproject.toml": text})
    assert [(f.code, f.severity) for f in findings_of(tmp_path)] == [("BK309", Severity.INFO)]


def test_another_dependency_brings_no_wire(tmp_path: Path) -> None:
    """Every model has dependencies; only a runner's own library, or one that cannot be named, may bring the wire."""
    make_bundle(tmp_path, {"pyproject.toml": f'{_NO_EP}dependencies = ["numpy>=2", "scipy"]\n'})
    assert [(f.code, f.severity) for f in findings_of(tmp_path)] == [("BK301", Severity.ERROR)]


def test_calabaria_beside_an_own_wire_is_two_wires(tmp_path: Path) -> None:
    """Runners find both entry points and refuse; today's preflight passes it."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(project='dependencies = ["modelops_calabaria"]')})
    assert [finding.code for finding in findings_of(tmp_path)] == ["BK302"]


_DOUBTFUL_PROJECTS = {
    "dynamic": 'dynamic = ["entry-points"]\n',
    "url": 'dependencies = ["lab @ git+https://example.invalid/lab"]\n',
}


@pytest.mark.parametrize("line", _DOUBTFUL_PROJECTS.values(), ids=_DOUBTFUL_PROJECTS)
def test_a_wire_that_the_build_may_add_is_information(line: str, tmp_path: Path) -> None:
    """What is not written in pyproject.toml itself cannot be refused for its absence."""
    make_bundle(tmp_path, {"pyproject.toml": f'[project]\nname = "model"\nversion = "1"\n{line}'})
    assert "BK309" in [finding.code for finding in findings_of(tmp_path)]
    assert "BK301" not in [finding.code for finding in findings_of(tmp_path)]


def test_setup_py_may_declare_the_wire(tmp_path: Path) -> None:
    """Setuptools runs it; reading does not."""
    make_bundle(tmp_path, {"pyproject.toml": '[project]\nname = "model"\nversion = "1"\n', "setup.py": ""})
    assert [finding.code for finding in findings_of(tmp_path)] == ["BK309"]


_OTHER_SOURCES: dict[str, tuple[dict[str, str], str]] = {
    "manifest.json": ({".modelops/manifest.json": '{"wire": "model.wire:wire"}'}, ".modelops/manifest.json"),
    "manifest.json-path": ({".modelops/manifest.json": '{"wire": "model/wire.py:wire"}'}, ".modelops/manifest.json"),
    "modelops.toml": ({".modelops/modelops.toml": '[modelops]\nwire = "model.wire:wire"\n'}, ".modelops/modelops.toml"),
    "wire.py": ({"wire.py": GOOD_WIRE}, "wire.py"),
}


@pytest.mark.parametrize(("files", "path"), _OTHER_SOURCES.values(), ids=_OTHER_SOURCES)
def test_other_wire_sources_run_with_a_warning(files: dict[str, str], path: str, tmp_path: Path) -> None:
    """The warm order accepts them; today's cold and direct runners look at entry points only."""
    make_bundle(tmp_path, {"pyproject.toml": _NO_EP, **files})
    (found,) = findings_of(tmp_path)
    assert (found.code, found.severity, found.path) == ("BK310", Severity.WARNING, path)
    assert 'wire:wire" in [project.entry-points."modelops.wire"]' in (found.hint or "")


def test_a_second_source_that_is_not_used_is_information(tmp_path: Path) -> None:
    """The entry point comes first; a manifest that says otherwise misleads."""
    make_bundle(tmp_path, {".modelops/manifest.json": '{"wire": "model.old:wire"}'})
    assert [(f.code, f.severity) for f in findings_of(tmp_path)] == [("BK310", Severity.INFO)]


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("/etc/passwd.py:wire", "BK303"),
        ("../x.py:wire", "BK303"),
        ("absent.py:wire", "BK304"),
        ("model/wire.py:no", "BK305"),
    ],
)
def test_a_wire_by_path_is_checked(spec: str, code: str, tmp_path: Path) -> None:
    """Manifests may name a file; it must be one of the bundle's."""
    make_bundle(tmp_path, {"pyproject.toml": _NO_EP, ".modelops/manifest.json": f'{{"wire": "{spec}"}}'})
    assert code in [finding.code for finding in findings_of(tmp_path)]


def test_a_wire_by_path_has_no_package(tmp_path: Path) -> None:
    """A file loaded by its path cannot import its siblings relatively."""
    files = {"pyproject.toml": _NO_EP, ".modelops/manifest.json": '{"wire": "model/wire.py:wire"}'}
    make_bundle(tmp_path, {**files, "model/wire.py": "from .run import wire\n", "model/run.py": GOOD_WIRE})
    assert "BK304" in [finding.code for finding in findings_of(tmp_path)]
