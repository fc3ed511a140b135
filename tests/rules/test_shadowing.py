"""BK204: a top-level module called as one of the standard library, and code that means the standard one."""

from pathlib import Path

import pytest
from builders.bundles import findings_of, make_bundle

from bundlekit.model.finding import Severity

_RANDOM = {"random.py": "def toss(seed): ...\n"}

_MEANS_THE_STANDARD_ONE: dict[str, tuple[dict[str, str], str]] = {
    "from-import": (
        {**_RANDOM, "model/a.py": "from random import toss, gauss\n"},
        "line 1 of model/a.py takes 'gauss'",
    ),
    "attribute": ({**_RANDOM, "model/a.py": "import random\n\nrandom.seed(1)\n"}, "line 3 of model/a.py takes 'seed'"),
    "alias": ({**_RANDOM, "model/a.py": "import random as r\ndef f():\n    r.seed(1)\n"}, "line 3"),
    "other-root-module": ({**_RANDOM, "a.py": "import random\nrandom.seed(1)\n"}, "line 2 of a.py"),
    "package": ({"json/__init__.py": "", "model/a.py": "import json\njson.dumps(1)\n"}, "takes 'dumps'"),
    "package-with-another-submodule": (
        {"json/__init__.py": "", "json/own.py": "", "model/a.py": "from json import loads\n"},
        "'loads'",
    ),
    "in-src": ({"src/types.py": "", "src/m/a.py": "from types import SimpleNamespace\n"}, "line 1 of src/m/a.py"),
}


@pytest.mark.parametrize(("files", "part"), _MEANS_THE_STANDARD_ONE.values(), ids=_MEANS_THE_STANDARD_ONE)
def test_code_that_means_the_standard_module_makes_it_an_error(
    files: dict[str, str], part: str, tmp_path: Path
) -> None:
    """With the bundle first on the path, that line fails for certain."""
    make_bundle(tmp_path, files)
    (found,) = findings_of(tmp_path)
    assert (found.code, found.severity) == ("BK204", Severity.ERROR)
    assert part in found.message


_MEANS_THE_OWN_ONE: dict[str, dict[str, str]] = {
    "not-used": _RANDOM,
    "own-name": {**_RANDOM, "model/a.py": "from random import toss\nimport random\nrandom.toss(1)\n"},
    "guarded": {**_RANDOM, "model/a.py": "try:\n    from random import gauss\nexcept ImportError:\n    gauss = None\n"},
    "guarded-attribute": {
        **_RANDOM,
        "model/a.py": "import random\ntry:\n    random.seed(1)\nexcept AttributeError:\n    pass\n",
    },
    "rebound": {**_RANDOM, "model/a.py": "import random\ndef f(random):\n    random.seed(1)\n"},
    "another-import": {**_RANDOM, "model/a.py": "import random\nfrom numpy import random\nrandom.seed(1)\n"},
    "set": {**_RANDOM, "model/a.py": "import random\nrandom.state = 1\nrandom.state\n"},
    "relative": {**_RANDOM, "model/random.py": "", "model/a.py": "from .random import gauss\n"},
    "star": {"random.py": "from math import *\n", "model/a.py": "from random import gauss\n"},
    "star-of-it": {**_RANDOM, "model/a.py": "from random import *\n"},
    "broken": {"random.py": "def (\n", "model/a.py": "from random import gauss\n"},
    "submodule": {"json/__init__.py": "", "json/own.py": "", "model/a.py": "from json import own\n"},
    "star-of-submodule": {
        "json/__init__.py": "from .own import *\n",
        "json/own.py": "def f(): ...\n",
        "model/a.py": "from json import f\n",
    },
    "nested-too-deeply": {
        "random.py": "import lab\nseed = lab" + ".x" * 970 + "\n",
        "model/a.py": "from random import seed\n",
    },
    "broken-user": {**_RANDOM, "model/a.py": "from random import gauss\n)\n"},
    "assigned-attribute": {**_RANDOM, "model/a.py": "import random\nrandom.seed = None\n"},
    "other-module": {**_RANDOM, "model/a.py": "import numpy\nnumpy.random.seed(1)\n"},
}


@pytest.mark.parametrize("files", _MEANS_THE_OWN_ONE.values(), ids=_MEANS_THE_OWN_ONE)
def test_other_code_leaves_it_a_warning(files: dict[str, str], tmp_path: Path) -> None:
    """The name is unwise, but nothing is known to fail."""
    make_bundle(tmp_path, files)
    found = [finding.severity for finding in findings_of(tmp_path) if finding.code == "BK204"]
    assert found == [Severity.WARNING]
