"""BK801 to BK806 on Python as people write it: what is found, and what is left alone."""

# ruff: noqa: E501 - a row of a table is one line

from pathlib import Path

import pytest
from builders.bundles import findings_of, make_bundle, pyproject

from bundlekit.model.finding import Finding, Severity


def _found(root: Path, files: dict[str, str | bytes]) -> list[Finding]:
    return [each for each in findings_of(make_bundle(root, files)) if each.code.startswith("BK80")]


_FINDS: dict[str, tuple[str, int, int, str]] = {
    "append": ("BK801", 1, 1, "log = []\ndef f():\n    log.append(1)\n"),
    "item": ("BK801", 1, 1, "log: dict = {}\ndef f():\n    log['a'] = 1\n"),
    "item-deleted": ("BK801", 1, 1, "log = dict()\ndef f():\n    del log['a']\n"),
    "item-augmented": ("BK801", 2, 1, "import collections\nlog = collections.Counter()\ndef f():\n    log['a'] += 1\n"),
    "nested-item": ("BK801", 1, 1, "log = {'a': []}\ndef f():\n    log['a'].append(1)\n"),
    "setdefault": ("BK801", 1, 1, "log = {}\ndef f():\n    log.setdefault('a', []).append(1)\n"),
    "comprehension-value": ("BK801", 1, 1, "log = [n for n in range(3)]\ndef f():\n    log.sort()\n"),
    "in-a-method": ("BK801", 1, 1, "log = set()\nclass A:\n    def f(self):\n        log.add(1)\n"),
    "in-a-nested-function": ("BK801", 1, 1, "log = []\ndef f():\n    def g():\n        log.append(1)\n    g()\n"),
    "in-a-lambda": ("BK801", 1, 1, "log = []\ndef f():\n    return lambda x: log.append(x)\n"),
    "in-a-comprehension": ("BK801", 1, 1, "log = []\ndef f():\n    return {n: log.pop() for n in range(3)}\n"),
    "below-a-condition": ("BK801", 3, 5, "import sys\nif sys:\n    log = []\ndef f():\n    log.clear()\n"),
    "below-an-except": ("BK801", 4, 5, "try:\n    pass\nexcept OSError:\n    log = []\ndef f():\n    log.clear()\n"),
    "global": ("BK801", 4, 5, "n = 0\ndef f():\n    global n\n    n = 1\n"),
    "global-augmented": ("BK801", 4, 5, "n = 0\ndef f():\n    global n\n    n += 1\n"),
    "global-list": ("BK801", 1, 1, "n = []\ndef f():\n    global n\n    n = [1]\n"),
    "class-body-name-is-no-scope": (
        "BK801",
        1,
        1,
        "log = []\nclass A:\n    log = ()\n    def f(self):\n        log.append(1)\n",
    ),
    "default": ("BK802", 1, 15, "def f(a, seen=[]):\n    seen.append(a)\n"),
    "default-augmented": ("BK802", 1, 12, "def f(seen=[]):\n    seen += [1]\n"),
    "keyword-default": ("BK802", 1, 15, "def f(*, seen={}):\n    seen['a'] = 1\n"),
    "default-of-a-method": ("BK802", 2, 22, "class A:\n    def f(self, seen=set()):\n        seen.add(1)\n"),
    "class-attribute": ("BK803", 2, 5, "class A:\n    log = []\n    def f(self):\n        self.log.append(1)\n"),
    "through-cls": (
        "BK803",
        2,
        5,
        "class A:\n    log = {}\n    @classmethod\n    def f(cls):\n        cls.log['a'] = 1\n",
    ),
    "through-the-class": ("BK803", 2, 5, "class A:\n    log = {}\ndef f():\n    A.log.clear()\n"),
    "through-dunder-class": (
        "BK803",
        2,
        5,
        "class A:\n    log = {}\n    def f(self):\n        self.__class__.log.pop(1)\n",
    ),
    "of-a-base": (
        "BK803",
        2,
        5,
        "class A:\n    log = []\nclass B(A):\n    def f(self):\n        self.log.append(1)\n",
    ),
    "class-variable": (
        "BK803",
        3,
        5,
        "from typing import ClassVar\nclass A(object):\n    log: ClassVar[list] = []\n    def f(self):\n        self.log.pop()\n",
    ),
    "class-in-a-class": (
        "BK803",
        3,
        9,
        "class A:\n    class B:\n        log = []\n        def f(self):\n            self.log.append(1)\n",
    ),
    "counter-of-a-class": (
        "BK803",
        2,
        5,
        "class A:\n    n = 0\n    def __init__(self):\n        A.n += 1\n        self.id = A.n\n",
    ),
    "counter-of-cls": (
        "BK803",
        2,
        5,
        "class A:\n    n: int = 0\n    @classmethod\n    def f(cls):\n        cls.n += 1\n",
    ),
    "counter-of-dunder-class": (
        "BK803",
        2,
        5,
        "class A:\n    n = 0\n    def f(self):\n        self.__class__.n += 1\n",
    ),
    "counter-of-a-base": (
        "BK803",
        2,
        5,
        "class A:\n    n = 0\nclass B(A):\n    @classmethod\n    def f(cls):\n        cls.n += 1\n",
    ),
    "lru-cache": ("BK804", 2, 2, "from functools import lru_cache\n@lru_cache(maxsize=None)\ndef f(): ...\n"),
    "cached-method": ("BK804", 3, 6, "import functools as ft\nclass A:\n    @ft.cache\n    def f(self): ...\n"),
    "random": ("BK805", 3, 12, "import random\ndef f():\n    return random.choice([1])\n"),
    "from-random": ("BK805", 3, 12, "from random import choice\ndef f():\n    return choice([1])\n"),
    "numpy-random": ("BK805", 3, 12, "import numpy as np\ndef f():\n    return np.random.rand(3)\n"),
    "constant-seed": ("BK805", 3, 5, "import random\nrandom.seed(7)\nx = random.random()\n"),
    "seed-of-the-other": (
        "BK805",
        5,
        5,
        "import random\nimport numpy as np\ndef f(s):\n    np.random.seed(s)\n    random.random()\n",
    ),
    "own-generator": (
        "BK805",
        2,
        1,
        "import numpy as np\nrng = np.random.default_rng(42)\ndef f():\n    return rng.normal()\n",
    ),
    "own-generator-of-python": (
        "BK805",
        2,
        1,
        "from random import Random\nrng: Random = Random(1)\ndef f():\n    return rng.random()\n",
    ),
    "own-generator-in-a-method": (
        "BK805",
        2,
        1,
        "from numpy.random import RandomState\nRNG = RandomState()\nclass A:\n    def f(self):\n        return RNG.rand(3)\n",
    ),
    "chdir": ("BK806", 3, 5, "import os\ndef f():\n    os.chdir('/')\n"),
    "environ": ("BK806", 3, 5, "import os\ndef f():\n    os.environ['A'] = '1'\n"),
    "environ-imported": ("BK806", 3, 5, "from os import environ\ndef f():\n    environ.update(A='1')\n"),
    "sys-path": ("BK806", 3, 5, "def f():\n    import sys\n    sys.path.insert(0, '.')\n"),
    "warnings": ("BK806", 3, 5, "import warnings\ndef f():\n    warnings.simplefilter('ignore')\n"),
    "decimal": ("BK806", 3, 5, "from decimal import getcontext\ndef f():\n    getcontext().prec = 4\n"),
    "rcparams": ("BK806", 3, 5, "import matplotlib.pyplot as plt\ndef f():\n    plt.rcParams['a'] = 4\n"),
    "patched": ("BK806", 3, 5, "import numpy\ndef f():\n    numpy.array = list\n"),
    "patched-item": ("BK806", 3, 5, "from .other import TABLE\ndef f():\n    TABLE['a'] = 1\n"),
    "restored-elsewhere": (
        "BK806",
        3,
        5,
        "import os\ndef f():\n    os.chdir('/')\ndef g():\n    try: ...\n    finally:\n        os.chdir('/')\n",
    ),
}


@pytest.mark.parametrize(("code", "line", "column", "source"), _FINDS.values(), ids=_FINDS)
def test_state_is_found_where_it_stands(code: str, line: int, column: int, source: str, tmp_path: Path) -> None:
    """The next task of a warm executor sees what the last one left."""
    found = _found(tmp_path, {"model/state.py": source})
    assert [(each.code, each.line, each.column) for each in found] == [(code, line, column)]
    assert found[0].severity is (Severity.INFO if code == "BK804" else Severity.WARNING)
    assert "a warm executor runs many tasks in one process" in (found[0].hint or "")


_RNG = "import numpy as np\nrng = np.random.default_rng()\ndef draw():\n    return rng.normal()\n"


def test_a_generator_that_is_made_anew_is_no_unseeded_one(tmp_path: Path) -> None:
    """Setting it anew is found by itself, and in a task it is what is asked for."""
    source = f"{_RNG}def start(seed):\n    global rng\n    rng = np.random.default_rng(seed)\n"
    assert [each.code for each in _found(tmp_path / "a", {"model/state.py": source})] == ["BK801"]
    other = "import numpy as np\nfrom . import state\ndef start(seed):\n    state.rng = np.random.default_rng(seed)\n"
    found = _found(tmp_path / "b", {"model/state.py": _RNG, "model/start.py": other})
    assert [each.code for each in found] == ["BK806"]


_LEAVES_ALONE: dict[str, str] = {
    "counter-of-an-instance": "class A:\n    n = 0\n    def f(self):\n        self.n += 1\n",
    "counter-of-another": "class A:\n    n = 0\ndef f(other, cls):\n    other.n += 1\n    cls.n = 2\n",
    "new-attribute-of-a-class": "class A:\n    n = 0\ndef f():\n    A.m = 1\n    A.n.m = 2\n",
    "counter-that-imports-fill": "class A:\n    n = 0\n    def __init_subclass__(cls):\n        A.n += 1\n",
    "generator-of-a-task": "import numpy as np\ndef f(seed):\n    rng = np.random.default_rng(seed)\n    return rng.normal()\n",
    "generator-given": "import numpy as np\nrng = np.random.default_rng(1)\ndef f(rng):\n    return rng.normal()\n",
    "generator-at-the-top": "import numpy as np\nrng = np.random.default_rng(1)\nTABLE = rng.normal(size=3)\ndef f():\n    return TABLE\n",
    "generator-seeded": "import random\nrng = random.Random()\ndef f(seed):\n    rng.seed(seed)\n    return rng.random()\n",
    "generator-looked-at": (
        "import numpy as np\nrng = np.random.default_rng()\ndef f():\n    return rng.bit_generator.seed_seq.generate_state(1)\n"
    ),
    "generator-set": (
        "import numpy as np\nrng = np.random.default_rng()\ndef f(state):\n    rng.bit_generator.state = state\n    return rng.normal()\n"
    ),
    "only-read": "log = {}\ndef f():\n    return log['a'], log.get('b')\n",
    "changed-at-the-top": "log = []\nlog.append(1)\n",
    "local": "log = []\ndef f():\n    log = []\n    log.append(1)\n",
    "parameter": "log = []\ndef f(log, n=1):\n    log.append(1)\n",
    "star-parameters": "log = []\ndef f(*log, **more):\n    log[0].append(1)\n",
    "comprehension": "log = []\ndef f(a):\n    return [log.append(1) for log in a for _ in log]\n",
    "loop": "log = []\ndef f(a):\n    for log in a:\n        log.append(1)\n",
    "with": "log = []\ndef f(a):\n    with a() as log:\n        log.append(1)\n",
    "except": "log = []\ndef f():\n    try: ...\n    except OSError as log:\n        log.clear()\n",
    "match": "log = []\ndef f(a):\n    match a:\n        case [*log]:\n            log.append(1)\n        case {**log}: ...\n",
    "walrus": "log = []\ndef f(a):\n    [log := [n] for n in a]\n    log.append(1)\n",
    "nested-own-name": "log = []\ndef f():\n    def g(log):\n        log.append(1)\n    def log(): ...\n",
    "enclosing-name": "log = []\ndef f():\n    log = []\n    def g():\n        nonlocal log\n        log += [1]\n    return g\n",
    "lambda-parameter": "log = []\ndef f():\n    return lambda log: log.append(1)\n",
    "local-import": "log = []\ndef f():\n    from x import log\n    log.append(1)\n",
    "local-class": "log = []\ndef f():\n    class log: ...\n    log.append(1)\n",
    "class-body": "log = []\ndef f():\n    class A:\n        log = []\n        log.append(1)\n",
    "attribute-of-another": "log = []\ndef f(a):\n    a.log.append(1)\n    a().b.append(1)\n    (a or a).append(1)\n",
    "immutable": "log = ()\nn: int\ndef f():\n    return log.count(1)\n",
    "registry": "log = {}\ndef register(f):\n    log[f.__name__] = f\n    return f\n@register\ndef g(): ...\n",
    "targets-that-are-no-names": "a.b = []\na[0] = []\n(lambda: 0)().c = []\nclass A:\n    b.c = []\ndef f():\n    a.b.pop()\n",
    "seeded-by-name": "import random\ndef f(n):\n    g = random.seed\n    g(n)\n    return random.random()\n",
    "seed-of-something-else": "import np\ndef f(rng):\n    rng.seed(1)\n    rng.setstate()\n    print(seed(3))\n",
    "class-registry-of-subclasses": "class A:\n    log = {}\n    def __init_subclass__(cls):\n        A.log[cls.__name__] = cls\n",
    "class-registry-of-decorated": (
        "class A:\n    log = {}\n    @classmethod\n    def register(cls, f):\n        cls.log[f.__name__] = f\n        return f\n"
        "@A.register\ndef g(): ...\n"
    ),
    "subclasses": "log = []\nclass A:\n    def __init_subclass__(cls):\n        log.append(cls)\n",
    "default-read": "def f(seen=[]):\n    return list(seen)\n",
    "default-replaced": "def f(seen=[]):\n    seen = list(seen)\n    seen.append(1)\n",
    "default-none": "def f(seen=None, *, n, m=1):\n    seen.append(1)\n",
    "default-of-another": "def f(seen=[]):\n    def g(seen):\n        seen.append(1)\n",
    "attribute-set-on-self": "class A:\n    log = []\n    def f(self):\n        self.log = []\n        self.log.append(1)\n",
    "attribute-by-setattr": (
        "class A:\n    log = []\n    def f(self, n):\n        setattr(self, n, [])\n        self.log.append(1)\n"
    ),
    "attribute-by-dict": (
        "class A:\n    log = []\n    def f(self, n):\n        self.__dict__.update(n)\n        self.log.append(1)\n"
    ),
    "other-setattr": "class A:\n    log = []\n    def f(self, n):\n        setattr(n, 'a', self.log)\n        setattr()\n",
    "attribute-read": "class A:\n    log = []\n    def f(self):\n        return self.log[0]\n",
    "static-method": "class A:\n    log = []\n    @staticmethod\n    def f(it):\n        it.log.append(1)\n    def g(): ...\n",
    "field": "class A(Base):\n    log: list = []\n    def f(self):\n        self.log.append(1)\n",
    "field-of-a-field": "class A:\n    log = {}\n    def f(self):\n        self.log.x.append(1)\n",
    "local-cache": "import functools\ndef f():\n    @functools.cache\n    def g(): ...\n",
    "own-cache": "def cache(f): return f\n@cache\ndef f(): ...\n",
    "cached-property": "import functools\nclass A:\n    @functools.cached_property\n    def f(self): ...\n",
    "seeded": "import random\ndef f(seed):\n    random.seed(seed)\n    return random.random()\n",
    "seeded-numpy": "import numpy as np\ndef f(seed):\n    np.random.seed(seed=seed)\n    return np.random.rand()\n",
    "seeded-by-a-list": (
        "import random\nSEEDS = [random.seed]\ndef f(n):\n    SEEDS[0](n)\n    return random.random()\n"
    ),
    "seeded-by-a-library": "import random\nimport ss\ndef f(n):\n    ss.set_seed(n)\n    return random.random()\n",
    "own-generator": "import random\ndef f(n):\n    return random.Random(n).random()\n",
    "numpy-generator": "import numpy as np\ndef f(n):\n    return np.random.default_rng(n).random()\n",
    "chdir-undone": "import os\ndef f():\n    try:\n        os.chdir('/')\n    finally:\n        os.chdir('.')\n",
    "seterr-given-back": "import numpy as np\ndef f():\n    old = np.seterr(all='ignore')\n    np.seterr(**old)\n",
    "catch-warnings": (
        "import warnings\ndef f():\n    with warnings.catch_warnings():\n        warnings.simplefilter('ignore')\n"
    ),
    "entered-and-left": (
        "import sys\nclass A:\n    def __enter__(self):\n        sys.stdout = self\n"
        "    def __exit__(self, *_):\n        sys.stdout = 1\n"
    ),
    "environ-at-the-top": "import os\nos.environ['A'] = '1'\n",
    "environ-read": "import os\ndef f():\n    return os.environ.get('A')\n",
    "parameter-named-like-a-module": "import np\ndef f(np):\n    np.a = 1\n",
    "attribute-of-what-is-made": "import logging\ndef f():\n    logging.getLogger().a = 1\n",
    "windows-lines": "log = []\r\ndef f():\r\n    log.index(1)\r\n",
}


@pytest.mark.parametrize("source", _LEAVES_ALONE.values(), ids=_LEAVES_ALONE)
def test_what_no_task_leaves_behind_is_left_alone(source: str, tmp_path: Path) -> None:
    """One false alarm, and people remove the hook."""
    assert _found(tmp_path, {"model/state.py": source}) == []


def test_changes_are_counted(tmp_path: Path) -> None:
    """One finding for one state names the first line and the function."""
    source = "log = []\n@a\n@b.c()\ndef f():\n    log.append(1)\n    log.pop()\n    log.pop()\n"
    assert "f() changes it in line 5 and in 2 more places" in _found(tmp_path, {"model/a.py": source})[0].message


@pytest.mark.parametrize("path", ["tests/a.py", "model/test_a.py", "conftest.py", "setup.py", "docs/a.py"])
def test_what_no_task_runs_is_not_looked_at(path: str, tmp_path: Path) -> None:
    """Tests keep what they like."""
    assert _found(tmp_path, {path: "log = []\ndef f():\n    log.append(1)\n"}) == []


def test_a_fresh_process_for_each_task_needs_none_of_it(tmp_path: Path) -> None:
    """The setting is the answer to the finding."""
    fresh = pyproject(after="[tool.bundlekit]\nrequires-fresh-process = true\n")
    source = "log = []\ndef f():\n    log.append(1)\n"
    assert _found(tmp_path, {"pyproject.toml": fresh, "model/a.py": source}) == []
