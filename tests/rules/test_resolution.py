"""The resolver against Python itself: each snippet is read and run, and the two agree on `x`, or reading says unknown."""

# ruff: noqa: E501 - a row of a table is one line

import importlib.util
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.bundles import make_bundle, pyproject
from builders.projects import write_tree

from bundlekit.check.resolver import Resolver
from bundlekit.check.values import Constant, Function, Value, is_broken
from bundlekit.cold_runner.entry_point import parse_reference
from bundlekit.model.signature import Unknown
from bundlekit.read.library import DiskLibrary
from bundlekit.read.project import read_project

_KNOWN: dict[str, str] = {
    "function": "def x(a, b=1, /, c=2, *d, e, f=3, **g): ...\n",
    "lambda": "x = lambda a, *b: a\n",
    "alias": "def f(a): ...\nx = f\n",
    "walrus-value": "def f(a): ...\nx = (y := f)\n",
    "class-without-anything": "class x: ...\n",
    "class-with-init": "class x:\n    def __init__(self, a, b=1): ...\n",
    "class-with-new": "class x:\n    def __new__(cls, a, *b): ...\n",
    "new-comes-before-init": "class x:\n    def __init__(self, a): ...\n    def __new__(cls, b, c): ...\n",
    "init-of-the-derived": "class B:\n    def __new__(cls, a): ...\nclass x(B):\n    def __init__(self, b, c): ...\n",
    "init-of-the-base": "class B:\n    def __init__(self, a): ...\nclass x(B): ...\n",
    "diamond": (
        "class A:\n    def __init__(self, a): ...\nclass B(A): ...\nclass C(A):\n    def __init__(self, c): ...\nclass x(B, C): ...\n"
    ),
    "builtin-base": "class x(dict):\n    def __init__(self, a): ...\n",
    "list-has-a-text": "class x(list): ...\n",
    "generic": "from typing import Generic, TypeVar\nT = TypeVar('T')\nclass x(Generic[T]):\n    def __init__(self, a): ...\n",
    "typing-alias-base": "from typing import Dict\nclass x(Dict[str, int]):\n    def __init__(self, a): ...\n",
    "abc": "import abc\nclass x(abc.ABC):\n    def __init__(self, a): ...\n",
    "abc-meta": "import abc\nclass x(metaclass=abc.ABCMeta):\n    def __init__(self, a): ...\n",
    "type-meta": "class x(metaclass=type):\n    def __init__(self, a): ...\n",
    "meta-with-call": (
        "class M(type):\n    def __call__(cls, a, b): ...\nclass x(metaclass=M):\n    def __init__(self, c): ...\n"
    ),
    "meta-without-call": "class M(type): ...\nclass x(metaclass=M):\n    def __init__(self, c): ...\n",
    "standard-base": "import ast\nclass x(ast.NodeVisitor):\n    def __init__(self, a): ...\n",
    "standard-base-constructor": "import argparse\nclass x(argparse.Action): ...\n",
    "meta-with-a-signature": (
        "class M(type):\n    @property\n    def __signature__(self):\n        try:\n            from inspect import signature\n"
        "        except ImportError:\n            return None\n        return signature(self.make)\n"
        "class x(metaclass=M):\n    @classmethod\n    def make(cls, a, b=1): ...\n"
    ),
    "protocol": "from typing import Protocol\nclass x(Protocol): ...\n",
    "subclass-hook-that-counts": (
        "class B:\n    def __init_subclass__(cls):\n        cls.count = 1\nclass x(B):\n    def __init__(self, a): ...\n"
    ),
    "dataclass": "from dataclasses import dataclass\n@dataclass\nclass x:\n    a: int\n    b: int = 1\n",
    "dataclass-fields": (
        "import dataclasses\nfrom dataclasses import field\nfrom typing import ClassVar\n@dataclasses.dataclass(frozen=True)\nclass x:\n"
        "    a: int\n    b: list = field(default_factory=list)\n    c: int = field(init=False, default=1)\n    d: ClassVar[int] = 2\n"
        "    e: int = field(kw_only=True)\n    f: 'dataclasses.InitVar[int]' = 3\n    def g(self): ...\n"
    ),
    "dataclass-keyword-only": (
        "from dataclasses import dataclass, KW_ONLY\n@dataclass\nclass x:\n    a: int\n    _: KW_ONLY\n    b: int\n    c: int = int()\n"
    ),
    "dataclass-all-keyword-only": "from dataclasses import dataclass\n@dataclass(kw_only=True)\nclass x:\n    a: int\n",
    "dataclass-with-its-own-init": (
        "from dataclasses import dataclass\n@dataclass\nclass x:\n    a: int\n    def __init__(self, b): ...\n"
    ),
    "dataclass-without-init": "from dataclasses import dataclass\n@dataclass(init=False)\nclass x:\n    a: int\n",
    "derived-dataclass": (
        "from dataclasses import dataclass, field\n@dataclass\nclass B:\n    a: int\n    b: int = 1\n@dataclass\nclass x(B):\n"
        "    b: int = field(init=False, default=2)\n    c: int = 3\n"
    ),
    "derived-of-a-dataclass": "from dataclasses import dataclass\n@dataclass\nclass B:\n    a: int\nclass x(B): ...\n",
    "named-tuple": "from typing import NamedTuple\nclass x(NamedTuple):\n    a: int\n    b: int = 1\n",
    "derived-named-tuple": "from typing import NamedTuple\nclass B(NamedTuple):\n    a: int\nclass x(B): ...\n",
    "namedtuple-text": "from collections import namedtuple\nx = namedtuple('x', 'a b, c')\n",
    "namedtuple-list": "import collections\nx = collections.namedtuple('x', ['a', 'b'], defaults=(1,))\n",
    "namedtuple-repeated-defaults": "from collections import namedtuple\nx = namedtuple('x', 'a b', defaults=(None,) * 2)\n",
    "namedtuple-base": "from collections import namedtuple\nclass x(namedtuple('B', 'a b')): ...\n",
    "typed-namedtuple-call": "import typing\nx = typing.NamedTuple('x', [('a', int), ('b', str)])\n",
    "instance": "class C:\n    def __call__(self, a): ...\nx = C()\n",
    "instance-of-a-derived": "class B:\n    def __call__(self, a): ...\nclass C(B): ...\nx = C(*[], **{})\n",
    "bound-method": "class C:\n    def run(self, a, b): ...\nx = C().run\n",
    "unbound-method": "class C:\n    def run(self, a, b): ...\nx = C.run\n",
    "static-method": "class C:\n    @staticmethod\n    def run(a): ...\nx = C().run\n",
    "class-method": "class C:\n    @classmethod\n    def run(cls, a): ...\nx = C.run\n",
    "class-method-of-an-instance": "class C:\n    @classmethod\n    def run(cls, a): ...\nx = C().run\n",
    "method-alias": "class C:\n    def run(self, a): ...\n    go = run\nx = C().go\n",
    "class-of-an-instance": "class C:\n    def __init__(self, a=1): ...\nx = C().__class__\n",
    "class-scope": "def run(z): ...\nclass C:\n    def run(self, a): ...\n    y = run\nx = C.y\n",
    "method-does-not-see-the-class": (
        "def make(f):\n    return f\ndef g(a): ...\nclass C:\n    def g(self, b): ...\n    def h(self):\n        return g\nx = C\n"
    ),
    "nested-class": "class C:\n    class D:\n        def __init__(self, a): ...\nx = C.D\n",
    "partial": "import functools\ndef f(a, b, c=1): ...\nx = functools.partial(f, 1, c=2)\n",
    "partial-of-a-partial": "from functools import partial\ndef f(a, b, c): ...\nx = partial(partial(f, 1), 2)\n",
    "partial-of-a-class": "from functools import partial\nclass C:\n    def __init__(self, a, b): ...\nx = partial(C, 1)\n",
    "cache": "import functools\n@functools.cache\ndef x(a): ...\n",
    "lru-cache": "from functools import lru_cache\n@lru_cache(maxsize=None)\ndef x(a): ...\n",
    "singledispatch": "import functools\n@functools.singledispatch\ndef x(a): ...\n",
    "context-manager": "import contextlib\n@contextlib.contextmanager\ndef x(a):\n    yield\n",
    "total-ordering": "import functools\n@functools.total_ordering\nclass x:\n    def __init__(self, a): ...\n    def __lt__(self, o): ...\n",
    "identity": "def d(f):\n    f.tag = 1\n    return f\n@d\ndef x(a): ...\n",
    "identity-of-a-class": "def d(c):\n    return c\n@d\nclass x:\n    def __init__(self, a): ...\n",
    "factory": "def d(tag):\n    def inner(f):\n        f.tag = tag\n        return f\n    return inner\n@d(1)\ndef x(a): ...\n",
    "wraps": (
        "import functools\ndef d(f):\n    @functools.wraps(f)\n    def inner(*args, **kwargs):\n        return f(*args)\n    return inner\n"
        "@d\ndef x(a, b): ...\n"
    ),
    "update-wrapper": (
        "import functools\ndef d(f):\n    def inner(*args):\n        return f(*args)\n    functools.update_wrapper(inner, f)\n    return inner\n"
        "@d\ndef x(a, b): ...\n"
    ),
    "returned-update-wrapper": (
        "from functools import update_wrapper\ndef d(f):\n    def inner(*args):\n        return f(*args)\n    return update_wrapper(inner, f)\n"
        "@d\ndef x(a, b): ...\n"
    ),
    "wrapped-is-set": "def d(f):\n    def inner(*args): ...\n    inner.__wrapped__ = f\n    return inner\n@d\ndef x(a): ...\n",
    "wrapper-without-wraps": "def d(f):\n    def inner(c):\n        return f(c)\n    return inner\n@d\ndef x(a, b): ...\n",
    "optional-arguments": (
        "def d(f=None, *, tag=1):\n    def inner(g):\n        return g\n    if f is None:\n        return inner\n    return inner(f)\n"
        "@d\ndef y(a): ...\n@d(tag=2)\ndef x(a, b): ...\n"
    ),
    "callable-asked": (
        "def d(name):\n    if callable(name):\n        return name\n    def inner(f):\n        return f\n    return inner\n"
        "@d\ndef y(a): ...\n@d('n')\ndef x(a, b): ...\n"
    ),
    "packed-arguments": (
        "def d(*args, **kwargs):\n    if len(args) == 1 and callable(args[0]) and not kwargs:\n        return args[0]\n"
        "    def inner(f):\n        return f\n    return inner\n@d\ndef y(a): ...\n@d(tag=1)\ndef x(a, b): ...\n"
    ),
    "packed-arguments-passed-on": (
        "def e(f, tag=1):\n    return f\ndef d(*args, **kwargs):\n    return e(*args, **kwargs)\ndef f(a): ...\nx = d(f, tag=2)\n"
    ),
    "isinstance-asked": (
        "def d(obj):\n    if isinstance(obj, type):\n        return obj\n    def inner(c): ...\n    return inner\n"
        "@d\nclass C:\n    def __init__(self, a): ...\n@d\ndef x(a, b): ...\n"
    ),
    "isfunction-asked": (
        "import inspect, types\ndef d(obj):\n    if inspect.isfunction(obj) and isinstance(obj, types.FunctionType) and not inspect.isclass(obj):\n"
        "        return obj\n    return 1\n@d\ndef x(a, b): ...\n"
    ),
    "type-or-string-asked": (
        "def d(obj):\n    if isinstance(obj, str):\n        return 1\n    return obj\n@d\ndef x(a): ...\n"
    ),
    "literal-compared": (
        "def d(mode):\n    def plain(f):\n        return f\n    def other(f):\n        return 1\n    if mode == 'plain' and mode in ('plain', 'x'):\n        return plain\n"
        "    return other\n@d('plain')\ndef x(a): ...\n"
    ),
    "either-way-the-same": (
        "import os\ndef d(f):\n    if os.environ.get('X'):\n        return f\n    return f\n@d\ndef x(a): ...\n"
    ),
    "tried": "def d(f):\n    try:\n        f.tag = 1\n    except AttributeError:\n        pass\n    return f\n@d\ndef x(a): ...\n",
    "looped": "def d(f):\n    for i in range(3):\n        f.tag = i\n    while False:\n        pass\n    return f\n@d\ndef x(a): ...\n",
    "with-and-match": (
        "import os\ndef d(f, n=1):\n    with os.scandir('.') as entries:\n        pass\n    match n:\n        case 1:\n            pass\n    return f\n"
        "@d\ndef x(a): ...\n"
    ),
    "local-import": "def d(f):\n    import functools as ft\n    from functools import wraps\n    return ft.cache(f)\n@d\ndef x(a): ...\n",
    "decorating-instance": (
        "class D:\n    def __init__(self, tag): ...\n    def __call__(self, f):\n        return f\nd = D('t')\n@d\ndef x(a): ...\n"
    ),
    "decorating-class": (
        "import functools\nclass D:\n    def __init__(self, f):\n        functools.update_wrapper(self, f)\n    def __call__(self, *args): ...\n"
        "@D\ndef x(a, b): ...\n"
    ),
    "decorating-lambda": "d = lambda f: f\n@d\ndef x(a): ...\n",
    "decorator-of-partial": (
        "from functools import partial\ndef d(tag, f):\n    return f\n@partial(d, 'tag')\ndef x(a): ...\n"
    ),
    "cast": "import typing\ndef f(a): ...\nx = typing.cast('object', f)\n",
    "conditional-expression": "def f(a): ...\nx = f if print else f\n",
    "flag": "FAST = False\nif FAST:\n    def x(a): ...\nelse:\n    def x(a, b): ...\n",
    "negated-flag": "FAST = False\nif not FAST:\n    def x(a): ...\nelse:\n    def x(a, b): ...\n",
    "platform": "import sys\nif sys.platform.startswith('win'):\n    def x(a): ...\nelse:\n    def x(a, b): ...\n",
    "platform-in": "import sys\nif sys.platform in ('win32', 'cygwin'):\n    def x(a): ...\nelse:\n    def x(a, b): ...\n",
    "os-name": "import os\nif os.name != 'nt' and not os.name == 'java':\n    def x(a): ...\nelse:\n    def x(a, b): ...\n",
    "system": "import platform\nif platform.system() == 'Windows':\n    def x(a): ...\nelse:\n    def x(a, b): ...\n",
    "main": "if __name__ == '__main__':\n    def x(a): ...\nelse:\n    def x(a, b): ...\n",
    "version": "import sys\nif sys.version_info >= (3, 8):\n    def x(a): ...\nelse:\n    def x(a, b): ...\n",
    "version-slice": "import sys\nif sys.version_info[:2] < (3, 8) or sys.version_info[0] == 2:\n    def x(a): ...\nelse:\n    def x(a, b): ...\n",
    "version-parts": "import sys\nif sys.version_info.major == 3 and sys.version_info.minor > 5:\n    def x(a): ...\nelse:\n    def x(): ...\n",
    "type-checking": "import typing\nif typing.TYPE_CHECKING:\n    def x(a): ...\nelse:\n    def x(a, b): ...\n",
    "import-that-fails": "try:\n    from model.nowhere import x\nexcept ImportError:\n    def x(a): ...\n",
    "import-of-what-fails": "try:\n    from .late import x\nexcept ImportError:\n    def x(a): ...\n",
    "overload": (
        "from typing import overload\n@overload\ndef x(a: int): ...\n@overload\ndef x(a: str, b: int): ...\ndef x(a, b=1): ...\n"
    ),
    "doubtful-star-before": "from .globs import *\ndef x(a): ...\n",
    "doubtful-star-behind": "def x(a): ...\nfrom .globs import *\n",
    "module-getattr": "def f(a): ...\ndef __getattr__(name):\n    if name == 'x':\n        return f\n    raise AttributeError(name)\n",
    "literal-all": "from .listed import *\n",
    "growing-all": "from .growing import *\n",
    "renamed-re-export": "from .steps import step as x\n",
    "package-attribute": "import model.steps\nx = model.steps.step\n",
    "known-by-name": "from functools import wraps as x\n",
    "global-decorator-order": "def d(f):\n    return f\n@d\ndef x(a): ...\nd = None\n",
    "hook-that-looks-at-the-constructor": (
        "class B:\n    def __init_subclass__(cls):\n        if not hasattr(object.__new__(cls), '__dict__') and cls.__init__:\n            cls.y = 1\n"
        "class x(B):\n    def __init__(self, a): ...\n"
    ),
    "hook-that-sets-other-names": (
        "class B:\n    def __init_subclass__(cls):\n        for m in ('fit', 'go'):\n            name = f'set_{m}_request'\n"
        "            setattr(cls, name, 1)\nclass x(B):\n    def __init__(self, a): ...\n"
    ),
    "hook-that-sets-what-a-template-names": (
        "class B:\n    def __init_subclass__(cls, n='y', **kw):\n        setattr(cls, 'get_%s' % n, 1)\n        setattr(cls, 'set_{}'.format(n), 1)\n"
        "        setattr(cls, 'has_' + n if n else 'no', 1)\nclass x(B):\n    def __init__(self, a): ...\n"
    ),
    "hook-that-sets-what-is-not-there": (
        "class B:\n    def __init_subclass__(cls):\n        for m in cls.parts:\n            if m and not hasattr(cls, m):\n"
        "                setattr(cls, m, 1)\nclass x(B):\n    parts = ('__init__', 'y')\n    def __init__(self, a): ...\n"
    ),
    "hook-that-sets-the-keys-of-a-table": (
        "class B:\n    def __init_subclass__(cls):\n        table = {'y': 1, 'z': 2}\n        for k, v in table.items():\n            setattr(cls, k, v)\n"
        "        for k in table:\n            setattr(cls, k, 1)\n        for k in sorted(table.keys()):\n            setattr(cls, k, 1)\n"
        "        for s in [*'pq']:\n            setattr(cls, 'to_' + s, 1)\n        for a, k in ((1, 'r'),):\n            setattr(cls, k, a)\n"
        "class x(B):\n    def __init__(self, a): ...\n"
    ),
    "meta-that-sets-other-names": (
        "class M(type):\n    def __init__(cls, *a):\n        for m in 'ab':\n            setattr(cls, f'to_{m}', 1)\n"
        "class x(metaclass=M):\n    def __init__(self, a): ...\n"
    ),
    "decorator-that-sets-other-names": (
        "def d(c):\n    for m in ('a', 'b'):\n        setattr(c, 'to_' + m, 1)\n    return c\n@d\nclass x:\n    def __init__(self, a): ...\n"
    ),
    "decorator-that-sets-names-of-one-form": (
        "def d(c):\n    for m in vars(d):\n        setattr(c, f'to_{m}', 1)\n    return c\n@d\nclass x:\n    def __init__(self, a): ...\n"
    ),
    "decorator-that-sets-names-of-a-long-list": (
        "def d(c):\n    for m in ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u'):\n"
        "        setattr(c, m, 1)\n    return c\n@d\nclass x:\n    def __init__(self, z): ...\n"
    ),
    "alias-that-a-decorator-sets": (
        "import functools\ndef d(table, c=None):\n    if c is None:\n        return functools.partial(d, table)\n    def make(name):\n"
        "        @functools.wraps(getattr(c, name))\n        def method(self, *args, **kwargs): ...\n        return method\n"
        "    for prop, aliases in table.items():\n        found = False\n        for prefix in ['get_', 'set_']:\n            if prefix + prop in vars(c):\n"
        "                found = True\n                for alias in aliases:\n                    method = make(prefix + prop)\n"
        "                    setattr(c, prefix + alias, method)\n        if not found:\n            raise ValueError\n    return c\n"
        "@d({'width': ['w', 'lw'], 'color': ['c']})\nclass C:\n    def get_width(self): ...\n    def set_width(self, w, unit=1): ...\n    def get_color(self): ...\n"
        "x = C.set_lw\n"
    ),
    "asked-for-what-a-class-has": (
        "def d(c):\n    if hasattr(c, 'go') and not hasattr(c, 'stop') and 'go' in c.__dict__ and not 'x' in vars(c):\n        return c.go\n    return 1\n"
        "@d\nclass x:\n    def go(self, a): ...\n"
    ),
    "contained-or-not": (
        "def d(f):\n    if 'a' in ('a', 'b') and 'c' not in 'ab' and 1 != 2 and [1] == [1]:\n        return f\n    return 1\n@d\ndef x(a): ...\n"
    ),
    "table-walked": (
        "def d(f):\n    for key in {'a': 1, 'b': 2}:\n        if key == 'b':\n            return f\n    return 1\n@d\ndef x(a): ...\n"
    ),
    "loop-left-early": (
        "def d(f):\n    for kind in ('a', 'b', 'c'):\n        if kind == 'a':\n            continue\n        if kind == 'b':\n            break\n"
        "        return 1\n    else:\n        return 2\n    return f\n@d\ndef x(a): ...\n"
    ),
    "loop-that-returns": (
        "def d(f):\n    for kind in ('a', 'b'):\n        if kind == 'b':\n            return f\n    return 1\n@d\ndef x(a): ...\n"
    ),
    "submodule-in-a-circle": "from model.ring import deep\nx = deep.x\n",
    "submodule-in-a-circle-of-stars": "from model.ring.two import x\n",
    "submodule-that-is-not-exported": "from .tools import *\nfrom .part import *\n",
    "submodule-that-hides-nothing": "from .part import *\nfrom .tools import *\n",
    "moved-name-with-a-decorator-that-raises": (
        "import os\ndef d(f):\n    if f in os.environ.values():\n        raise ValueError\n    return f\n@d\ndef f(a): ...\n"
        "def find(name):\n    return f\ndef __getattr__(name):\n    return find(name)\n"
    ),
    "moved-names-from-another-module": (
        "from model.steps import NAMES\ndef f(a): ...\ndef __getattr__(name):\n    if name in NAMES:\n        return f\n    raise AttributeError(name)\n"
    ),
    "getattr-with-a-default": "import types\nclass C:\n    def go(self, a): ...\nx = getattr(C, 'stop', C.go)\n",
    "moved-names": (
        "from importlib import import_module\nNAMES = ['x', 'step']\ndef find(*, package, modules, names, attribute, right=None):\n"
        "    if right is not None:\n        where = f'{package}.{right}'\n    else:\n        where = package\n"
        "    if attribute not in names:\n        raise AttributeError(f'{package} has no {attribute}')\n"
        "    found = getattr(import_module(where), attribute, None)\n    if found is not None:\n        text = f'{attribute} is in {where}'\n"
        "    else:\n        text = 'gone' + attribute\n    print(text)\n"
        "    for module in modules:\n        try:\n            return getattr(import_module(f'{package}.{module}'), attribute)\n"
        "        except AttributeError as error:\n            if module == modules[-1]:\n                raise AttributeError(attribute) from error\n            continue\n"
        "def __getattr__(name):\n    return find(package='model', modules=['steps', 'listed'], names=NAMES, attribute=name)\n"
    ),
    "items-of-literals": (
        "KINDS = ('a', 'b')\nMORE = ['c'] + ['d']\ndef d(f):\n    return f if KINDS[-1] == 'b' and MORE[1] == 'd' and 'a' 'b' == f'{KINDS[0]}b' else 1\n"
        "def e(f):\n    if KINDS[-1] == 'b' and MORE[1] == 'd' and KINDS[0] + 'b' == f'{KINDS[0]}b':\n        return f\n    return 1\n@e\ndef x(a): ...\n"
    ),
    "flag-of-the-interpreter": (
        "import sys\ndef d(f):\n    if sys.flags.optimize < 2 and not sys.flags.optimize and __debug__:\n        return f\n    return 1\n@d\ndef x(a): ...\n"
    ),
    "optimized": "import sys\nif sys.flags.optimize:\n    def x(a): ...\nelse:\n    def x(a, b): ...\n",
}
_BESIDE = {
    "model/tools/__init__.py": "from . import x\nfrom .x import *\n__all__ = []\n__all__ += x.__all__\n",
    "model/ring/__init__.py": "from .one import *\nfrom .two import *\n",
    "model/ring/one.py": "from . import deep\ndef other(): ...\n",
    "model/ring/two.py": "from .one import *\nfrom . import deep\nx = deep.x\n",
    "model/ring/deep.py": "def x(a): ...\n",
    "model/knot/__init__.py": "def deep(): ...\nfrom .one import *\n",
    "model/knot/one.py": "from . import deep\n",
    "model/knot/deep.py": "def x(a): ...\n",
    "model/tools/x.py": "__all__ = ['y']\ny = 1\n",
    "model/odd.py": "import functools\nx = functools.reduce(min, [1])\n",
    "model/part.py": "def x(a): ...\n",
    "model/late.py": "import model.nowhere\ndef x(z): ...\n",
    "model/steps.py": "def step(a, b): ...\nNAMES = ['x', 'y']\n",
    "model/filled.py": "MORE = ['y']\ndef step(a):\n    MORE.append('x')\nstep(1)\n",
    "model/globs.py": "globals()['y' + 'z'] = 1\n",
    "model/listed.py": "__all__ = ['x']\ndef x(a): ...\ndef hidden(): ...\n",
    "model/growing.py": "from . import steps\n__all__ = ['y']\n__all__ += ['x']\ny = 1\ndef x(a): ...\n",
}


@pytest.fixture
def _forget_modules() -> Iterator[None]:
    yield
    for name in [name for name in sys.modules if name == "model" or name.startswith("model.")]:
        del sys.modules[name]


def _read(root: Path) -> tuple[Value, Value]:
    resolver = Resolver(read_project(root))
    reference = parse_reference("model.case:x")
    return resolver.named(reference), resolver.resolve(reference)


def _run(root: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.syspath_prepend(root)
    importlib.invalidate_caches()
    return importlib.import_module("model.case").x


@pytest.mark.usefixtures("_forget_modules")
@pytest.mark.parametrize("source", _KNOWN.values(), ids=_KNOWN)
def test_reading_gives_the_signature_that_running_gives(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What inspect says of the running object is what the source promised."""
    make_bundle(tmp_path, {"model/case.py": source, **_BESIDE})
    _, found = _read(tmp_path)
    real = inspect.signature(_run(tmp_path, monkeypatch))  # type: ignore[arg-type] # whatever it is, it is asked
    assert isinstance(found, Function), found
    ours = [(each.name, each.kind.name, each.has_default) for each in found.signature.parameters]
    assert ours == [(each.name, each.kind.name, each.default is not each.empty) for each in real.parameters.values()]


_THERE: dict[str, str] = {
    "named-by-a-loop": "for n in ('x', 'y'):\n    globals()[n] = 1\n",
    "named-by-a-loop-over-what-grows": "NAMES = ['y']\nNAMES.append('x')\nfor n in NAMES:\n    globals()[n] = 1\n",
    "meta-with-a-signature-that-depends": (
        "class M(type):\n    @property\n    def __signature__(self):\n        from inspect import signature\n"
        "        return signature(self.make if id(self) else self.other)\n"
        "class x(metaclass=M):\n    @classmethod\n    def make(cls, a, b=1): ...\n    @classmethod\n    def other(cls): ...\n"
    ),
    "hook-that-names-the-constructor": (
        "def put(c, n):\n    setattr(c, n, lambda self, z: None)\nclass B:\n    def __init_subclass__(cls):\n        put(cls, '__init__')\n"
        "class x(B):\n    def __init__(self, a): ...\n"
    ),
    "hook-that-assigns-the-constructor": (
        "class B:\n    def __init_subclass__(cls):\n        cls.__init__ = lambda self, z: None\nclass x(B):\n    def __init__(self, a): ...\n"
    ),
    "hook-that-may-set-the-constructor": (
        "class B:\n    def __init_subclass__(cls):\n        for m in ('in', 'new'):\n            setattr(cls, f'__{m}it__', lambda self, z: None)\nclass x(B):\n    def __init__(self, a): ...\n"
    ),
    "hook-that-sets-what-it-is-given": (
        "class B:\n    def __init_subclass__(cls, n='__init__'):\n        setattr(cls, n, lambda self, z: None)\nclass x(B):\n    def __init__(self, a): ...\n"
    ),
    "hook-that-sets-a-growing-list": (
        "class B:\n    def __init_subclass__(cls):\n        names = ['y']\n        names.append('__init__')\n        for n in names:\n"
        "            setattr(cls, n, lambda self, z: None)\nclass x(B):\n    def __init__(self, a): ...\n"
    ),
    "hook-that-sets-what-was-absent": (
        "class B:\n    def __init_subclass__(cls):\n        for n in cls.parts:\n            if not hasattr(cls, 'no'):\n                setattr(cls, n, lambda self, z: None)\n"
        "class x(B):\n    parts = ('__init__',)\n    def __init__(self, a): ...\n"
    ),
    "hook-that-formats": (
        "class B:\n    def __init_subclass__(cls):\n        setattr(cls, '__%(n)s__' % {'n': 'init'}, lambda self, z: None)\n"
        "        setattr(cls, '__{n}__'.format(n='init'), lambda self, z: None)\nclass x(B):\n    def __init__(self, a): ...\n"
    ),
    "meta-that-may-set-the-constructor": (
        "class M(type):\n    def __init__(cls, *a):\n        for m in ('init', 'x'):\n            setattr(cls, f'__{m}__', lambda self, z: None)\n"
        "class x(metaclass=M):\n    def __init__(self, a): ...\n"
    ),
    "decorator-that-sets-the-constructor": (
        "def d(c):\n    for m in vars(d) or ['init']:\n        setattr(c, f'__{m}__', lambda self, z: None)\n    return c\n@d\nclass x:\n    def __init__(self, a): ...\n"
    ),
    "decorator-that-may-set-an-alias": (
        "import os\ndef d(c):\n    if os.environ.get('NO'):\n        setattr(c, 'y', c.z)\n    else:\n        setattr(c, 'y', lambda self: 1)\n    return c\n"
        "@d\nclass C:\n    def z(self, a): ...\nx = C.y\n"
    ),
    "decorator-with-a-list-that-grows": (
        "def d(c):\n    names = []\n    names.append('y')\n    for n in names:\n        setattr(c, n, c.z)\n    return c\n"
        "@d\nclass C:\n    def z(self, a): ...\n    def y(self): ...\nx = C.y\n"
    ),
    "decorator-with-a-list-that-is-added-to": (
        "def d(c):\n    names = ['q']\n    names += ['y']\n    for n in names:\n        setattr(c, n, c.z)\n    return c\n"
        "@d\nclass C:\n    def z(self, a): ...\n    def y(self): ...\nx = C.y\n"
    ),
    "decorator-with-a-list-that-is-filled": (
        "def fill(names):\n    names += 'y'\ndef d(c):\n    names = []\n    fill(names)\n    for n in names:\n        setattr(c, n, c.z)\n    return c\n"
        "@d\nclass C:\n    def z(self, a): ...\n    def y(self): ...\nx = C.y\n"
    ),
    "moved-names-that-another-module-fills": (
        "from model.filled import MORE\ndef __getattr__(name):\n    if name in MORE:\n        return print\n    raise AttributeError(name)\n"
    ),
    "moved-names-that-may-be-missing": (
        "import os\ndef f(a): ...\ndef find(name):\n    if name in os.environ:\n        raise AttributeError(name)\n    return f\n"
        "def __getattr__(name):\n    return find(name)\n"
    ),
    "moved-names-of-what-is-computed": (
        "from model import odd\ndef __getattr__(name):\n    try:\n        return getattr(odd, name)\n    except AttributeError:\n        return 1\n"
    ),
    "moved-names-that-grow": (
        "NAMES = ['y']\nNAMES.append('x')\ndef __getattr__(name):\n    if name in NAMES:\n        return print\n    raise AttributeError(name)\n"
    ),
    "tried-without-a-handler-of-absence": (
        "import math\ndef d(f):\n    try:\n        return getattr(math, 'no' + 'where' if f else 'x')\n    except AttributeError:\n        return 1\n@d\ndef x(a): ...\n"
    ),
    "text-and-something-else": "class T:\n    def __radd__(self, other):\n        return print\nx = 'a' + T()\n",
    "hasattr-of-what-is-not-told": (
        "class B:\n    def __init_subclass__(cls):\n        cls.tag = 1\nclass C(B): ...\nclass D:\n    def run(self): ...\nclass E(D, B): ...\n"
        "def d(f):\n    if hasattr(f, 'y') or 'y' in f.__dict__ or hasattr(C, f.__name__) or f.__name__ in vars(C) or 'run' in vars(E):\n        return 1\n    return f\n@d\ndef x(a): ...\n"
    ),
    "compared-in-ways-that-fail": (
        "N = 1\ndef d(f):\n    try:\n        if 'a' in N or 1 < 2 or [N] == [N]:\n            return 1\n    except TypeError:\n        return f\n@d\ndef x(a): ...\n"
    ),
    "hasattr-of-what-may-be-there": (
        "import os\nclass C:\n    if os.environ.get('NO'):\n        def go(self): ...\ndef d(f):\n    if hasattr(C, 'go') or 'go' in vars(C):\n        return 1\n    return f\n@d\ndef x(a): ...\n"
    ),
    "optimized-by-how-much": "import sys\nif sys.flags.optimize is sys.flags.quiet:\n    def x(a): ...\nelse:\n    def x(b): ...\n",
    "name-in-a-circle": "from model.knot import deep\nx = deep\n",
    "computed": "x = print or 1\n",
    "call-of-a-builtin": "x = sorted([1])\n",
    "item": "x = [1, 2][0]\n",
    "with-as": "import os\nwith os.scandir('.') as x:\n    pass\n",
    "loop": "for x in (1, 2):\n    pass\n",
    "unpacked": "x, y = divmod(5, 2)\n",
    "either": "import os\nif os.environ.get('X'):\n    def x(a): ...\nelse:\n    def x(b): ...\n",
    "either-of-two-kinds": "import os\nif os.environ.get('X'):\n    x = 1\nelse:\n    def x(b): ...\n",
    "signature-set": "import inspect\ndef x(a): ...\nx.__signature__ = inspect.Signature()\n",
    "signature-set-by-a-decorator": (
        "import inspect\ndef d(f):\n    f.__signature__ = inspect.Signature()\n    return f\n@d\ndef x(a): ...\n"
    ),
    "wrapped-taken-away": (
        "import functools\ndef d(f):\n    @functools.wraps(f)\n    def inner(b): ...\n    del inner.__wrapped__\n    return inner\n@d\ndef x(a): ...\n"
    ),
    "init-set-by-a-decorator": "def d(c):\n    c.__init__ = lambda self, z: None\n    return c\n@d\nclass x: ...\n",
    "set-by-name-on-a-class": (
        "def d(c):\n    for name in ['run']:\n        setattr(c, name, 1)\n    return c\n@d\nclass C:\n    @staticmethod\n    def run(): ...\nx = C.run\n"
    ),
    "nonlocal": (
        "def d():\n    n = 0\n    def inner():\n        nonlocal n\n        n = print\n        return n\n    return inner()\nx = d()\n"
    ),
    "changed-local": "def d():\n    n = [1]\n    n += [2]\n    a, b = n\n    n: object = a\n    return a\nx = d()\n",
    "conditional-local": "import os\ndef d():\n    if os.environ.get('X', 1):\n        n = print\n    return n\nx = d()\n",
    "recursive": "def d(n):\n    return n if n == 0 else d(n - 1)\nx = d(3)\n",
    "returns-on-no-way": "def d():\n    try:\n        raise ValueError\n    except ValueError:\n        return print\nx = d()\n",
    "generator": "def d():\n    yield 1\nx = d()\n",
    "none": "def d():\n    return\nx = d()\n",
    "falls-through": "def d():\n    pass\nx = d()\n",
    "new-may-make-anything": "class C:\n    def __new__(cls):\n        return print\nx = C()\n",
    "meta-sets-the-constructor": (
        "class M(type):\n    def __init__(cls, *a):\n        cls.__new__ = lambda c: None\nclass x(metaclass=M):\n    def __init__(self, a): ...\n"
    ),
    "meta-sets-a-signature": (
        "import inspect\nclass M(type):\n    def __init__(cls, *a):\n        cls.__signature__ = inspect.Signature()\nclass x(metaclass=M): ...\n"
    ),
    "meta-has-a-signature-elsewhere": (
        "import inspect\nclass B(type):\n    @property\n    def __signature__(cls):\n        return inspect.Signature()\nclass M(B): ...\n"
        "class x(metaclass=M):\n    def __init__(self, a): ...\n"
    ),
    "inherited-and-perhaps-replaced": (
        "def d(c):\n    for name in ['run']:\n        setattr(c, name, 1)\n    return c\nclass B:\n    def run(self): ...\n@d\nclass C(B): ...\nx = C.run\n"
    ),
    "signature-set-in-the-class": (
        "import inspect\nclass x:\n    def __init__(self, *a): ...\n    __init__.__signature__ = inspect.signature(lambda self, z: None)\n"
    ),
    "signature-in-the-class": "import inspect\nclass x:\n    __signature__ = inspect.Signature()\n",
    "hook-shapes-subclasses": (
        "import dataclasses\nclass B:\n    def __init_subclass__(cls):\n        dataclasses.dataclass(cls)\nclass x(B):\n    a: int\n"
    ),
    "hook-is-no-function": "class B:\n    __init_subclass__ = classmethod(lambda cls: None)\nclass x(B): ...\n",
    "keywords-unpacked": "KW = {}\nclass x(**KW): ...\n",
    "bases-unpacked": "BASES = ()\nclass x(*BASES): ...\n",
    "exception": "class x(Exception): ...\n",
    "init-is-no-function": "import functools\nclass x:\n    def go(self, a): ...\n    __init__ = functools.partialmethod(go, 1)\n",
    "conditional-dataclass": "from dataclasses import dataclass\n@dataclass\nclass x:\n    if print:\n        a: int\n",
    "computed-dataclass": "from dataclasses import dataclass\nON = True\n@dataclass(init=ON)\nclass x:\n    a: int\n",
    "keywords-of-a-dataclass": "from dataclasses import dataclass\nKW = {}\n@dataclass(**KW)\nclass x:\n    a: int\n",
    "computed-field": (
        "from dataclasses import dataclass, field\nON = True\n@dataclass\nclass x:\n    a: int = field(init=ON, default=1)\n"
    ),
    "renamed-fields": "from collections import namedtuple\nx = namedtuple('x', ['a', 'def'], rename=True)\n",
    "computed-fields": "from collections import namedtuple\nx = namedtuple('x', list('ab'))\n",
    "computed-defaults": "from collections import namedtuple\nD = (1,)\nx = namedtuple('x', 'a b', defaults=D)\n",
    "computed-repeated-defaults": "from collections import namedtuple\nN = 1\nx = namedtuple('x', 'a b', defaults=(1,) * N)\n",
    "enum-member": "import enum\nclass E(enum.Enum):\n    a = 1\nx = E.a\n",
    "property": "class C:\n    @property\n    def p(self):\n        return 1\nx = C().p\n",
    "property-of-the-class": "class C:\n    @property\n    def p(self):\n        return 1\nx = C.p\n",
    "builtin-attribute": "class C(dict): ...\nx = C.update\n",
    "attribute-of-a-builtin": "x = dict.fromkeys\n",
    "partial-of-a-builtin": "import functools\nx = functools.partial(print, 1)\n",
    "partialmethod": "import functools\nclass C:\n    def go(self, a): ...\n    x = functools.partialmethod(go, 1)\nx = C().x\n",
    "lazy-getattr": "TABLE = {'x': print}\ndef __getattr__(name):\n    return TABLE[name]\n",
    "decorated-by-a-wrapper-of-nothing": "import functools\n@functools.wraps(print)\ndef x(a): ...\n",
    "static-of-no-function": "x = staticmethod(1)\n",
    "manager-of-no-function": "import contextlib\nx = contextlib.contextmanager(print)\n",
    "instance-with-getattr": "class C:\n    def __call__(self, a): ...\n    def __getattr__(self, n):\n        raise AttributeError\nx = C()\n",
    "namedtuple-attribute": "from collections import namedtuple\nclass B(namedtuple('B', 'a')): ...\nx = B.a\n",
    "namedtuple-method": "from collections import namedtuple\nclass B(namedtuple('B', 'a')): ...\nx = B._make\n",
    "type-variable": "from typing import TypeVar\nx = TypeVar('x')\n",
    "wrapping-itself": "import functools\nx = functools.wraps(print)\n",
    "no-consistent-order": "import functools\nclass A: ...\nx = functools.reduce\n",
    "function-attribute": "def f(): ...\nf.go = print\nx = f.go\n",
    "packed": "def d(*args):\n    return args\nx = d(1)\n",
    "unknown-condition-in-a-call": (
        "import os\ndef d(f):\n    if os.sep == '/' or os.sep is not None or os.environ is f:\n        return f\n    return print\n@d\ndef x(a): ...\n"
    ),
}


@pytest.mark.usefixtures("_forget_modules")
@pytest.mark.parametrize("source", _THERE.values(), ids=_THERE)
def test_what_reading_cannot_tell_is_unknown_and_no_guess(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name imports; what it is, only running tells."""
    make_bundle(tmp_path, {"model/case.py": source, **_BESIDE})
    named, found = _read(tmp_path)
    _run(tmp_path, monkeypatch)
    assert not is_broken(named), named
    assert isinstance(found, Unknown | Constant), found


_GONE: dict[str, str] = {
    "nothing": "",
    "deleted": "def x(): ...\ndel x\n",
    "nested": "def f():\n    def x(): ...\n",
    "getattr-raises": "def __getattr__(name):\n    raise AttributeError(name)\n",
    "getattr-for-others": "def __getattr__(name):\n    if name == 'y':\n        return 1\n    raise AttributeError(name)\n",
    "moved-nowhere": (
        "from importlib import import_module\ndef __getattr__(name):\n    for module in ['steps']:\n        try:\n"
        "            return getattr(import_module(f'model.{module}'), name)\n        except AttributeError:\n            continue\n    raise AttributeError(name)\n"
    ),
    "not-among-the-names": (
        "NAMES = ['y']\ndef __getattr__(name):\n    if name not in NAMES:\n        raise AttributeError(name)\n    return 1\n"
    ),
    "loop-over-literal-names": "NAMES = ['y', 'z']\nfor n in NAMES:\n    globals()[n] = n\n",
    "not-exported": "from .steps import *\n",
    "module-raises": "x = 1\nraise ValueError\n",
    "exits": "import sys\nx = 1\nsys.exit(1)\n",
    "import-fails": "import model.nowhere\nx = 1\n",
    "neither-import-works": "try:\n    import model.nowhere\nexcept ImportError:\n    import model.noplace\nx = 1\n",
    "handler-raises": "try:\n    import model.nowhere\nexcept ImportError:\n    raise\nx = 1\n",
    "deleted-alias": "def x(): ...\ny = x\ndel x\n",
}


@pytest.mark.usefixtures("_forget_modules")
@pytest.mark.parametrize("source", _GONE.values(), ids=_GONE)
def test_what_is_certainly_not_there_is_said_to_be_missing(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And importing it does fail."""
    make_bundle(tmp_path, {"model/case.py": source, **_BESIDE})
    named, _ = _read(tmp_path)
    assert is_broken(named), named
    with pytest.raises((ImportError, AttributeError, ValueError, SystemExit)):
        _run(tmp_path, monkeypatch)


@pytest.mark.usefixtures("_forget_modules")
@pytest.mark.parametrize(
    ("names", "owner", "is_doubtful"),
    [
        ("['x']", "cls.__module__", True),
        ("cls.__dict__", "cls.__module__", True),
        ("['y']", "cls.__module__", False),
        ("['x']", "__name__", False),
    ],
)
def test_a_name_that_another_module_may_set_is_in_doubt(
    names: str,
    owner: str,
    is_doubtful: bool,  # noqa: FBT001 - a row of the table
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A decorator may put the attributes of a class into its module."""
    export = (
        f"import sys\ndef export(cls):\n    for name in {names}:\n"
        f"        setattr(sys.modules[{owner}], name, getattr(cls, name))\n    return cls\n"
    )
    source = "from .export import export\n@export\nclass C:\n    x = 1\n    y = 2\n"
    make_bundle(tmp_path, {"model/case.py": source, "model/export.py": export})
    named, _ = _read(tmp_path)
    assert is_broken(named) != is_doubtful, named
    if not is_doubtful:
        with pytest.raises(AttributeError):
            _run(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("imports", "is_doubtful"), [("from . import hooks\n", True), ("import sys\nsys.meta_path\n", True), ("", False)]
)
def test_a_submodule_is_in_doubt_where_its_package_runs_an_import_hook(
    imports: str,
    is_doubtful: bool,  # noqa: FBT001 - a row of the table
    tmp_path: Path,
) -> None:
    """A hook makes modules of which there is no file; one that only some command runs makes none."""
    files = {"made/__init__.py": imports, "made/hooks.py": "import sys\nsys.meta_path.append(None)\n"}
    library = DiskLibrary([], [str(write_tree(tmp_path / "site", files))], is_complete=True)
    resolver = Resolver(read_project(make_bundle(tmp_path / "bundle", {}))._replace(library=library))
    found = resolver.named(parse_reference("made.up:x"))
    assert is_broken(found) != is_doubtful, found


_USES_ATTRS = pyproject(project='dependencies = ["attrs"]')
_ATTRS: dict[str, str] = {
    "old": "import attr\n@attr.s\nclass x:\n    a = attr.ib()\n    _b = attr.ib(default=1)\n    c = 3\n    d: int = attr.ib(init=False)\n",
    "old-that-annotates": "import attr\n@attr.s(auto_attribs=True)\nclass x:\n    a: int\n    b: list = attr.Factory(list)\n    c = 1\n",
    "shorthand": "import attr\n@attr.dataclass\nclass x:\n    a: int\n    b: int = 1\n",
    "old-over-its-own-init": "import attr\n@attr.s\nclass x:\n    a = attr.ib(0)\n    def __init__(self, z): ...\n",
    "new": (
        "from typing import ClassVar\nfrom attrs import define, field\n@define\nclass x:\n    _a: int\n    b: list = field(factory=list, kw_only=True)\n"
        "    c: int = field(alias='cc', default=2)\n    d: ClassVar[int] = 1\n    e: int = field(init=False, default=1)\n"
    ),
    "new-without-annotations": "import attrs\n@attrs.define\nclass x:\n    a = attrs.field()\n    b = 1\n    c = attrs.field(default=attrs.NOTHING)\n",
    "frozen": "import attr\n@attr.frozen(slots=False)\nclass x:\n    a: int = 1\n",
    "default-by-a-method": (
        "import attrs\n@attrs.mutable\nclass x:\n    a: int = attrs.field()\n    @a.default\n    def _make(self):\n        return 1\n"
        "    b: int = attrs.field(default=1)\n    @b.validator\n    def _check(self, attribute, value): ...\n"
    ),
    "own-init": "import attrs\n@attrs.define\nclass x:\n    a: int\n    def __init__(self, z): ...\n",
    "init-in-spite-of-its-own": "import attrs\n@attrs.define(init=True)\nclass x:\n    a: int\n    def __init__(self, z): ...\n",
    "without-init": "import attr\n@attr.s(init=False)\nclass x:\n    a = attr.ib()\n",
    "all-keyword-only": "import attrs\n@attrs.define(kw_only=True)\nclass x:\n    a: int\n    b: int = 1\n",
    "derived": (
        "import attrs\n@attrs.define\nclass B:\n    a: int\n    b: int\nclass C(B):\n    z = 1\n@attrs.define\nclass x(C):\n    c: int\n    a: int\n"
    ),
    "derived-without-a-decorator": "import attrs\n@attrs.define\nclass B:\n    a: int\nclass x(B): ...\n",
    "new-method": "import attrs\n@attrs.define\nclass x:\n    a: int\n    def __new__(cls, *args): ...\n",
}


@pytest.mark.usefixtures("_forget_modules")
@pytest.mark.parametrize("source", _ATTRS.values(), ids=_ATTRS)
def test_the_constructor_that_attrs_gives_is_the_one_that_running_gives(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A target or wire may be a class of attrs."""
    pytest.importorskip("attrs")
    make_bundle(tmp_path, {"model/case.py": source, "pyproject.toml": _USES_ATTRS})
    _, found = _read(tmp_path)
    real = inspect.signature(_run(tmp_path, monkeypatch))  # type: ignore[arg-type] # whatever it is, it is asked
    assert isinstance(found, Function), found
    ours = [(each.name, each.kind.name, each.has_default) for each in found.signature.parameters]
    assert ours == [(each.name, each.kind.name, each.default is not each.empty) for each in real.parameters.values()]


_ATTRS_UNTOLD: dict[str, str] = {
    "these": "import attr\n@attr.s(these={'a': attr.ib()})\nclass x: ...\n",
    "transformed": "import attrs\n@attrs.define(field_transformer=lambda c, f: f)\nclass x:\n    a: int\n",
    "computed-setting": "import attrs\nON = False\n@attrs.define(init=ON)\nclass x:\n    a: int\n",
    "unpacked-settings": "import attrs\nKW = {}\n@attrs.define(**KW)\nclass x:\n    a: int\n",
    "computed-field": "import attrs\nON = False\n@attrs.define\nclass x:\n    a: int = attrs.field(init=ON, default=1)\n",
    "unpacked-field": "import attrs\nKW = {}\n@attrs.define\nclass x:\n    a: int = attrs.field(**KW)\n",
    "two-bases": "import attrs\n@attrs.define\nclass A:\n    a: int\nclass B: ...\n@attrs.define(slots=False)\nclass x(A, B):\n    b: int\n",
    "keyword-only-of-what-is-inherited": "import attrs\n@attrs.define\nclass B:\n    a: int\n@attrs.define(kw_only=True)\nclass x(B):\n    b: int\n",
    "keyword-only-and-not": "import attrs\n@attrs.define(kw_only=True)\nclass x:\n    a: int = attrs.field(kw_only=False)\n",
    "conditional": "import attrs\n@attrs.define\nclass x:\n    if print:\n        a: int\n",
    "bound-twice": "import attrs\n@attrs.define\nclass x:\n    a: int\n    a: int = 1\n",
    "unknown-base": "import attrs, json.tool as tool\nB = [object][0]\n@attrs.define\nclass x(B):\n    a: int\n",
    "computed-own-init": "import attrs\nON = True\n@attrs.define(auto_detect=ON)\nclass x:\n    a: int\n    def __init__(self): ...\n",
    "computed-annotations": "import attr\nON = True\n@attr.s(auto_attribs=ON)\nclass x:\n    a: int\n",
    "positional-setting": "import attr\n@attr.s(None)\nclass x:\n    a = attr.ib()\n",
    "field-of-the-class": "import attrs\n@attrs.define\nclass C:\n    a: int = 1\nx = C.a\n",
}


@pytest.mark.usefixtures("_forget_modules")
@pytest.mark.parametrize("source", _ATTRS_UNTOLD.values(), ids=_ATTRS_UNTOLD)
def test_what_attrs_is_given_by_computing_is_unknown(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A guess would refuse a class that works."""
    pytest.importorskip("attrs")
    make_bundle(tmp_path, {"model/case.py": source, "pyproject.toml": _USES_ATTRS})
    named, found = _read(tmp_path)
    _run(tmp_path, monkeypatch)
    assert not is_broken(named), named
    assert isinstance(found, Unknown | Constant), found


_STUB = (
    "from typing import Protocol, TypedDict\nfrom typing import type_check_only\n_rand: object\nbeta = _rand.beta\nAlias = object.x\n"
    "def f(a): ...\ndef _hidden(): ...\nclass C:\n    def go(self): ...\nclass P(Protocol[int]): ...\nclass D(TypedDict): ...\n"
    "@type_check_only\nclass T: ...\n"
)


@pytest.mark.parametrize(
    ("name", "is_there"),
    [(name, True) for name in ("f", "C", "C.go", "beta")]
    + [(name, False) for name in ("g", "_hidden", "P", "D", "T", "Alias", "C.stop", "f.go", "_rand")],
)
def test_the_stub_of_a_compiled_module_says_which_functions_it_has(name: str, is_there: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a row
    """A compiled module cannot be read, but whoever wrote it may have written down what is in it."""
    write_tree(
        tmp_path,
        {"fast/__init__.py": "", "fast/core.so": "", "fast/core.pyi": _STUB, "case.py": "from fast.core import *\n"},
    )
    library = DiskLibrary([], [str(tmp_path)], is_complete=True)
    resolver = Resolver(read_project(make_bundle(tmp_path / "bundle", {}))._replace(library=library))
    found = resolver.resolve(parse_reference(f"fast.core:{name}"))
    assert isinstance(found, Unknown), found
    assert found.is_there == is_there
    starred = resolver.resolve(parse_reference(f"case:{name}"))
    assert isinstance(starred, Unknown), starred
    assert starred.is_there == is_there
