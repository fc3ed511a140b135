"""BK416, BK417 and BK317, and the data files of calibration targets that constants name."""

# ruff: noqa: E501 - a row of a table is one line

import json
from pathlib import Path

import pytest
from builders.bundles import findings_of, make_bundle, pyproject

from bundlekit.model.finding import Finding, Severity

_FIT = 'def loss(sim_returns, target_data=None):\n    return {"loss": 1.0}\n'
_CALABRIA = "from modelops_calabaria import calibration_target\n"
_DEF = "def other():\n    return make()\n"


def _found(root: Path, source: str, *targets: str, path: str = "model/fit.py") -> list[Finding]:
    text = f"[tool.bundlekit]\ntargets = {json.dumps(targets or ('model.fit:loss',))}\n"
    make_bundle(root, {"pyproject.toml": pyproject(project='dependencies = ["lab"]', after=text), path: source})
    return findings_of(root)


_BARE: dict[str, str] = {
    "plain": f"{_CALABRIA}@calibration_target\n{_DEF}{_FIT}",
    "attribute": f"import modelops_calabaria as c\n@c.calibration_target\n{_DEF}{_FIT}",
    "submodule": f"from modelops_calabaria.targets import calibration_target\n@calibration_target\n{_DEF}{_FIT}",
    "alias": f"from modelops_calabaria import calibration_target as target\n@target\n{_DEF}{_FIT}# calibration_target\n",
}


@pytest.mark.parametrize("source", _BARE.values(), ids=_BARE)
def test_a_bare_calibration_target_is_found(source: str, tmp_path: Path) -> None:
    """The decorator takes no function, so the import of the module raises a TypeError."""
    (found,) = [each for each in _found(tmp_path, source) if each.code == "BK416"]
    assert (found.severity, found.path, found.line, found.column) == (Severity.ERROR, "model/fit.py", 2, 2)
    assert "is not called: it takes keywords alone, so importing fails" in found.message


_CALLED: dict[str, str] = {
    "called": f"{_CALABRIA}@calibration_target(model_output='result', data={{}})\n{_DEF}{_FIT}",
    "own": f"def calibration_target(f):\n    return f\n@calibration_target\n{_DEF}{_FIT}",
    "other-library": f"from lab import calibration_target\n@calibration_target\n{_DEF}{_FIT}",
    "named-alone": f"{_CALABRIA}import functools\n@functools.cache\n{_DEF}{_FIT}",
    "computed": f"{_CALABRIA}@[calibration_target][0]\n{_DEF}{_FIT}",
    "in-a-class": f"{_CALABRIA}class A:\n    pass\n{_FIT}",
    "broken": f"{_CALABRIA}@calibration_target\n",
}


@pytest.mark.parametrize("source", _CALLED.values(), ids=_CALLED)
def test_decorators_that_are_called_or_another_are_left_alone(source: str, tmp_path: Path) -> None:
    """Only Calabaria's is known to refuse a function."""
    assert [each.code for each in _found(tmp_path, source) if each.code == "BK416"] == []


def test_targets_that_are_not_found_have_no_module_to_look_at(tmp_path: Path) -> None:
    """Their own findings say so."""
    codes = {each.code for each in _found(tmp_path, _FIT, "model.absent:loss", "model.fit", "lab.fit:loss")}
    assert not codes & {"BK416", "BK417"}


_POSITIONAL: dict[str, str] = {
    "output": "'result', data={}",
    "both": "'result', {}",
    "beside-unpacked": "*settings, 'result'",
    "function": "fit",
}


@pytest.mark.parametrize("arguments", _POSITIONAL.values(), ids=_POSITIONAL)
def test_a_calibration_target_with_positional_arguments_is_found(arguments: str, tmp_path: Path) -> None:
    """It takes none, so the import of the module raises a TypeError."""
    found = _found(tmp_path, f"{_CALABRIA}@calibration_target({arguments})\n{_DEF}{_FIT}")
    assert [(each.severity, each.line) for each in found if each.code == "BK418"] == [(Severity.ERROR, 2)]


_KEYWORDS: dict[str, tuple[str, str]] = {
    "misspelt": ("is given 'model_ouput', which is no keyword of it", "model_ouput='result', data={}"),
    "misspelt-data": ("is given 'dat', which is no keyword of it", "model_output='result', dat={}"),
    "missing": ("names no model_output", "data={}"),
    "empty": ("names no model_output", ""),
}


@pytest.mark.parametrize(("says", "arguments"), _KEYWORDS.values(), ids=_KEYWORDS)
def test_keywords_that_a_calibration_target_lacks_are_found(says: str, arguments: str, tmp_path: Path) -> None:
    """They are kept as metadata, so the mistake shows only where the target is registered."""
    found = _found(tmp_path, f"{_CALABRIA}@calibration_target({arguments})\n{_DEF}{_FIT}")
    (finding,) = [each for each in found if each.code == "BK418"]
    assert finding.severity is Severity.WARNING
    assert says in finding.message


_WHOLE_CALLS: dict[str, str] = {
    "all": "model_output='result', data={}, name='fit'",
    "unpacked": "**settings",
    "unpacked-list": "*settings",
    "metadata": "model_output='result', weight=1.0",
    "near-but-given": "model_output='result', data={}, data_=1",
}


@pytest.mark.parametrize("arguments", _WHOLE_CALLS.values(), ids=_WHOLE_CALLS)
def test_calibration_targets_in_order_are_left_alone(arguments: str, tmp_path: Path) -> None:
    """Any other keyword is metadata of the author's own."""
    found = _found(tmp_path, f"{_CALABRIA}@calibration_target({arguments})\n{_DEF}{_FIT}")
    assert [each for each in found if each.code == "BK418"] == []


_HIJACKS: dict[str, tuple[str, str]] = {
    "function": ("function", f"{_FIT}def evaluate(x): ...\n"),
    "assignment": ("name", f"{_FIT}evaluate = loss\n"),
    "import": ("name", f"from lab import evaluate\n{_FIT}"),
    "class": ("name", f"class evaluate: ...\n{_FIT}"),
}


@pytest.mark.parametrize(("what", "source"), _HIJACKS.values(), ids=_HIJACKS)
def test_an_evaluate_beside_a_target_is_found(what: str, source: str, tmp_path: Path) -> None:
    """Today's warm runner would call it instead, and nobody would see why the loss is another."""
    (found,) = [each for each in _found(tmp_path, source) if each.code == "BK417"]
    assert found.severity is Severity.WARNING
    assert f"calls this {what} 'evaluate' instead of the target 'model.fit:loss'" in found.message


_NO_HIJACKS: dict[str, tuple[str, str, str]] = {
    "is-the-target": (_FIT.replace("loss(", "evaluate("), "model.fit:evaluate", "model/fit.py"),
    "conditional": (f"{_FIT}if loss:\n    def evaluate(x): ...\n", "model.fit:loss", "model/fit.py"),
    "deleted": (f"{_FIT}def evaluate(x): ...\ndel evaluate\n", "model.fit:loss", "model/fit.py"),
    "method": (f"{_FIT}class A:\n    def evaluate(self): ...\n", "model.fit:loss", "model/fit.py"),
    "deeper": (f"{_FIT}def evaluate(x): ...\n", "model.fit.a:loss", "model/fit/a.py"),
    "top-level": (f"{_FIT}def evaluate(x): ...\n", "fit:loss", "fit.py"),
    "absent-target": (f"{_FIT}def evaluate(x): ...\n", "model.fit:lost", "model/fit.py"),
}


@pytest.mark.parametrize(("source", "target", "path"), _NO_HIJACKS.values(), ids=_NO_HIJACKS)
def test_an_evaluate_that_no_runner_calls_is_left_alone(source: str, target: str, path: str, tmp_path: Path) -> None:
    """The warm runner does so for modules of two parts alone."""
    assert "BK417" not in {each.code for each in _found(tmp_path, source, target, path=path)}


_NAMES: dict[str, tuple[str, str]] = {
    "empty": ("error", ""),
    "space-before": ("error", " execute"),
    "space-behind": ("error", "execute "),
    "equals": ("error", "a=b"),
    "bracket": ("error", "[execute"),
    "inner-space": ("warning", "run it"),
    "letter": ("warning", "zähler"),
    "colon": ("warning", "run:it"),
}


def _named(root: Path, name: str) -> list[Finding]:
    text = pyproject().replace("execute =", f"{json.dumps(name, ensure_ascii=False)} =")
    make_bundle(root, {"pyproject.toml": text})
    return [each for each in findings_of(root) if each.code == "BK317"]


@pytest.mark.parametrize(("severity", "name"), _NAMES.values(), ids=_NAMES)
def test_a_name_that_entry_points_cannot_have_is_found(severity: str, name: str, tmp_path: Path) -> None:
    """The bundle cannot be installed with it, or other tools stumble over it."""
    (found,) = _named(tmp_path, name)
    assert found.severity.value == severity


@pytest.mark.parametrize("name", ["execute", "run-it", "run.it", "run_2", "2"])
def test_plain_names_of_entry_points_are_left_alone(name: str, tmp_path: Path) -> None:
    """These are what the specification recommends."""
    assert _named(tmp_path, name) == []


_TARGET = (
    "@calibration_target(model_output='result', data={data})\ndef loss(data_paths):\n    return make(data_paths)\n"
)
_CONSTANTS: dict[str, tuple[str, str]] = {
    "name": ("DATA = 'data/x.csv'\n", "{'x': DATA}"),
    "annotated": ("DATA: str = 'data/x.csv'\n", "{'x': DATA}"),
    "chain": ("ROOT = 'data'\nDATA = ROOT + '/x.csv'\n", "{'x': DATA}"),
    "os-path-join": ("import os\nROOT = 'data'\n", "{'x': os.path.join(ROOT, 'x.csv')}"),
    "join": ("from os.path import join\n", "{'x': join('data', 'x.csv')}"),
    "path": ("from pathlib import Path\nROOT = Path('data')\n", "{'x': ROOT / 'x.csv'}"),
    "path-of-parts": ("import pathlib\n", "{'x': pathlib.Path('data', 'x.csv')}"),
    "str-of-path": ("from pathlib import Path\n", "{'x': str(Path('data') / 'x.csv')}"),
    "f-string": ("ROOT, NAME = 'data', 'x'\n", "{'x': f'{ROOT}/{NAME}.csv'}"),
    "dictionary": ("DATA = {'x': 'data/x.csv'}\n", "DATA"),
    "read-dictionary": ("DATA = {'x': 'data/x.csv'}\nprint(DATA['x'])\n", "DATA"),
}


def _data(root: Path, before: str, data: str) -> list[Finding]:
    source = f"{_CALABRIA}{before}{_TARGET.replace('{data}', data)}"
    return [each for each in _found(root, source) if each.code == "BK201"]


@pytest.mark.parametrize(("before", "data"), _CONSTANTS.values(), ids=_CONSTANTS)
def test_a_data_file_that_a_constant_names_must_be_there(before: str, data: str, tmp_path: Path) -> None:
    """It is read wherever the target is evaluated, however its path is spelt."""
    (found,) = _data(tmp_path, before, data)
    assert (found.severity, found.entity) == (Severity.ERROR, "data/x.csv")


_OPEN: dict[str, tuple[str, str]] = {
    "unknown-name": ("", "{'x': DATA}"),
    "call": ("DATA = find()\n", "{'x': DATA}"),
    "imported": ("from lab import DATA\n", "{'x': DATA}"),
    "assigned-twice": ("DATA = 'data/x.csv'\nDATA = find()\n", "{'x': DATA}"),
    "conditional": ("if find():\n    DATA = 'data/x.csv'\n", "{'x': DATA}"),
    "changed-in-function": ("DATA = 'data/x.csv'\ndef set_up():\n    global DATA\n    DATA = find()\n", "{'x': DATA}"),
    "parameter": ("DATA = 'data/x.csv'\ndef f(DATA): ...\n", "{'x': DATA}"),
    "own-join": ("def join(*a): ...\n", "{'x': join('data', 'x.csv')}"),
    "relative-join": ("from .wire import join\n", "{'x': join('data', 'x.csv')}"),
    "subscript-call": ("", "{'x': find[0]('data')}"),
    "attribute-of-unknown": ("", "{'x': find.join('data')}"),
    "str-of-two": ("", "{'x': str('data', 'ascii')}"),
    "own-str": ("def str(x): ...\n", "{'x': str('data/x.csv')}"),
    "formatted": ("NAME = 'x'\n", "{'x': f'data/{NAME:>5}.csv'}"),
    "converted": ("NAME = 'x'\n", "{'x': f'data/{NAME!r}.csv'}"),
    "half-known": ("ROOT = 'data/'\n", "{'x': ROOT + find()}"),
    "half-known-join": ("import os\n", "{'x': os.path.join('data', find())}"),
    "itself": ("DATA = DATA + 'x.csv'\n", "{'x': DATA}"),
    "empty": ("DATA = ''\n", "{'x': DATA}"),
    "unknown-dictionary": ("DATA = find()\n", "DATA"),
    "unbound-dictionary": ("", "DATA"),
    "changed-dictionary": ("DATA = {'x': 'data/x.csv'}\nDATA['x'] = find()\n", "DATA"),
    "updated-dictionary": ("DATA = {'x': 'data/x.csv'}\nDATA.update(x=find())\n", "DATA"),
}


@pytest.mark.parametrize(("before", "data"), _OPEN.values(), ids=_OPEN)
def test_a_data_file_that_only_running_names_is_left_alone(before: str, data: str, tmp_path: Path) -> None:
    """A path that may be another is none that is missing."""
    assert _data(tmp_path, before, data) == []
