"""BK330 on imports as people write them: what certainly fails is found, what may work is left alone."""

from pathlib import Path

import pytest
from builders.bundles import GOOD_WIRE, findings_of, make_bundle, pyproject

_FINDS: dict[str, tuple[str, str, str]] = {
    "missing-submodule": ("from model.missing import step\n", "'model.missing'", "add the module"),
    "misspelt-submodule": ("from model.stpes import step\n", "'model.stpes'", "model.steps"),
    "missing-name": ("from model.steps import walk\n", "'walk'", "define 'walk'"),
    "relative-missing-name": ("from .steps import stp\n", "'stp'", "'step'"),
    "import-of-a-submodule": ("import model.missing\n", "'model.missing'", "add the module"),
    "not-installed": ("import starsim\n", "'starsim'", "[project] dependencies"),
    "handler-raises": (
        "try:\n    import starsim\nexcept ImportError as error:\n    raise RuntimeError('no') from error\n",
        "'starsim'",
        "[project] dependencies",
    ),
    "neither-of-two": (
        "from .late import x\n",
        "'x'",
        "take the import out",
    ),
    "in-a-with": ("import os\nwith os.scandir():\n    import starsim\n", "'starsim'", "[project] dependencies"),
}
_STEPS = "def step():\n    return b'1'\n"


@pytest.mark.parametrize(("source", "said", "hint"), _FINDS.values(), ids=_FINDS)
def test_an_import_that_certainly_fails_is_found_at_its_line(source: str, said: str, hint: str, tmp_path: Path) -> None:
    """An hour later on the cluster it would be a KeyError of something else."""
    make_bundle(tmp_path, {"model/wire.py": source + GOOD_WIRE, "model/steps.py": _STEPS, "model/late.py": ""})
    (found,) = findings_of(tmp_path)
    assert found.code == ("BK505" if "starsim" in source else "BK330")
    assert found.path == "model/wire.py"
    assert found.line == 1 + source[: source.find("starsim")].count("\n") if "starsim" in source else 1
    assert said in found.message
    assert hint in (found.hint or "")


_LEAVES_ALONE: dict[str, str] = {
    "guarded": "try:\n    import starsim\nexcept ImportError:\n    starsim = None\n",
    "guarded-by-its-base": "try:\n    import starsim\nexcept Exception:\n    starsim = None\n",
    "guarded-by-everything": "try:\n    import starsim\nexcept:\n    starsim = None\n",
    "guarded-by-a-name": "from .steps import Missing\ntry:\n    import starsim\nexcept Missing:\n    starsim = None\n",
    "suppressed": "import contextlib\nwith contextlib.suppress(ImportError):\n    import starsim\n",
    "for-type-checkers": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import starsim\n",
    "in-a-function": "def plot():\n    import starsim\n",
    "on-another-platform": "import sys\nif sys.platform == 'win32':\n    import winreg_extra\n",
    "on-another-system": "import os\nif os.name == 'nt':\n    import winreg_extra\n",
    "on-an-old-python": "import sys\nif sys.version_info < (3, 8):\n    import importlib_metadata\n",
    "on-an-old-major-python": "import sys\nif sys.version_info[0] == 2:\n    import urllib2\n",
    "under-a-condition": "import os\nif os.environ.get('PLOT'):\n    import starsim\n",
    "other-of-two": "try:\n    import starsim\nexcept ImportError:\n    from . import steps\n",
    "after-a-path-change": "import sys\nsys.path.insert(0, 'vendor')\nimport starsim\n",
    "after-a-called-path-change": "from .steps import add_vendor\nadd_vendor()\nimport starsim\n",
    "submodule-of-itself": "from . import steps\nfrom model import steps as again\n",
    "standard-library": "import json\nimport xml.etree.ElementTree\nfrom collections.abc import Mapping\n",
    "flag-that-is-false": "HAS_PLOT = False\nif HAS_PLOT:\n    import starsim\n",
    "flag-that-is-not-true": "HAS_PLOT = True\nif not HAS_PLOT:\n    import starsim\n",
}


@pytest.mark.parametrize("source", _LEAVES_ALONE.values(), ids=_LEAVES_ALONE)
def test_an_import_that_may_work_or_may_not_run_is_left_alone(source: str, tmp_path: Path) -> None:
    """An optional dependency is optional."""
    steps = "import sys\nMissing = ImportError\ndef add_vendor():\n    sys.path.append('vendor')\n"
    make_bundle(tmp_path, {"model/wire.py": source + GOOD_WIRE, "model/steps.py": steps})
    assert [finding for finding in findings_of(tmp_path) if finding.code == "BK330"] == []


def test_an_import_is_followed_through_the_modules_that_it_leads_to(tmp_path: Path) -> None:
    """The place is that of the import that fails, not of the first one on the way."""
    make_bundle(
        tmp_path,
        {
            "pyproject.toml": pyproject(wire="model.wire:wire"),
            "model/wire.py": "from .steps import step\n" + GOOD_WIRE,
            "model/steps.py": "from .rates import rate\nstep = rate\n",
            "model/rates.py": "import numpy\n\nfrom .tables import table\nrate = table\n",
            "model/tables.py": "table = {}\n",
        },
    )
    (found,) = findings_of(tmp_path)
    assert (found.code, found.path, found.line, found.column) == ("BK505", "model/rates.py", 1, 1)


def test_a_module_that_raises_when_it_is_imported_gives_no_guess(tmp_path: Path) -> None:
    """Who wrote the raise knows; nothing is said of a missing module."""
    make_bundle(
        tmp_path, {"model/wire.py": "from .steps import step\n" + GOOD_WIRE, "model/steps.py": "raise OSError\n"}
    )
    assert {finding.code for finding in findings_of(tmp_path)} <= {"BK330"}
