"""Which edits rules propose: what mends the finding and is no guess, and nothing where it would be one."""

import json
from pathlib import Path

import pytest
from builders.bundles import GOOD_WIRE, findings_of, make_bundle, pyproject

from bundlekit.api.mending import fix
from bundlekit.api.validation import ValidateOptions
from bundlekit.check.rules import RULES
from bundlekit.model.finding import Level
from bundlekit.model.nearest import only_near_name, slip_of

_LOSS = "def loss(sim_returns, target_data=None): ...\n"
_ONE = "def loss(sim_returns): ...\n"
_NO_WIRE = '[project]\nname = "model"\nversion = "1.0"\n'


def _targets(*values: str) -> str:
    return pyproject(after=f"[tool.bundlekit]\ntargets = {json.dumps(values)}\n")


def _group(name: str) -> str:
    return f'{_NO_WIRE}[project.entry-points."{name}"]\nexecute = "model.wire:wire"\n'


_FIXED: dict[str, tuple[str, dict[str, str], str, str]] = {
    "target-misspelt": (
        "BK405",
        {"pyproject.toml": _targets("model.fit:los"), "model/fit.py": _LOSS},
        "pyproject.toml",
        'targets = ["model.fit:loss"]',
    ),
    "target-misspelt-beside-what-is-none": (
        "BK405",
        {"pyproject.toml": _targets("model.fit:los"), "model/fit.py": f"{_LOSS}losses = []\nclass Los: ...\n"},
        "pyproject.toml",
        'targets = ["model.fit:loss"]',
    ),
    "target-in-another-module": (
        "BK405",
        {"pyproject.toml": _targets("model.wire:loss"), "model/fit.py": _LOSS},
        "pyproject.toml",
        'targets = ["model.fit:loss"]',
    ),
    "target-of-a-misspelt-module": (
        "BK404",
        {"pyproject.toml": _targets("model.fits:loss"), "model/fit.py": _LOSS},
        "pyproject.toml",
        'targets = ["model.fit:loss"]',
    ),
    "target-of-a-misspelt-package": (
        "BK404",
        {"pyproject.toml": _targets("modell.fit:loss"), "model/fit.py": _LOSS},
        "pyproject.toml",
        'targets = ["model.fit:loss"]',
    ),
    "target-of-a-near-module-and-elsewhere": (
        "BK404",
        {"pyproject.toml": _targets("model.old:loss"), "model/fit.py": _LOSS},
        "pyproject.toml",
        'targets = ["model.fit:loss"]',
    ),
    "target-without-a-colon": (
        "BK401",
        {"pyproject.toml": _targets("model.fit.loss"), "model/fit.py": _LOSS},
        "pyproject.toml",
        'targets = ["model.fit:loss"]',
    ),
    "target-by-its-file": (
        "BK401",
        {"pyproject.toml": _targets("model/fit.py:loss"), "model/fit.py": _LOSS},
        "pyproject.toml",
        'targets = ["model.fit:loss"]',
    ),
    "wire-misspelt": (
        "BK305",
        {"pyproject.toml": pyproject(wire="model.wire:wir")},
        "pyproject.toml",
        '"model.wire:wire"',
    ),
    "wire-of-a-misspelt-module": (
        "BK304",
        {"pyproject.toml": pyproject(wire="model.wires:wire")},
        "pyproject.toml",
        '"model.wire:wire"',
    ),
    "wire-undeclared": (
        "BK301",
        {"pyproject.toml": _NO_WIRE},
        "pyproject.toml",
        f'{_NO_WIRE}\n[project.entry-points."modelops.wire"]\nexecute = "model.wire:wire"\n',
    ),
    "group-misspelt": ("BK301", {"pyproject.toml": _group("modelops-wire")}, "pyproject.toml", _group("modelops.wire")),
    "wire-by-a-manifest": (
        "BK310",
        {"pyproject.toml": _NO_WIRE, ".modelops/manifest.json": '{"wire": "model.wire:wire"}'},
        "pyproject.toml",
        'execute = "model.wire:wire"',
    ),
    "wire-by-a-path": (
        "BK310",
        {"pyproject.toml": _NO_WIRE, ".modelops/manifest.json": '{"wire": "model/wire.py:wire"}'},
        "pyproject.toml",
        'execute = "model.wire:wire"',
    ),
    "second-parameter": (
        "BK410",
        {"pyproject.toml": _targets("model.fit:loss"), "model/fit.py": _ONE},
        "model/fit.py",
        _LOSS,
    ),
    "second-parameter-before-keywords": (
        "BK410",
        {"pyproject.toml": _targets("model.fit:loss"), "model/fit.py": "def loss(a, *, b=1): ...\n"},
        "model/fit.py",
        "def loss(a, target_data=None, *, b=1): ...\n",
    ),
    "requirement-turned-round": (
        "BK501",
        {"pyproject.toml": pyproject(project='dependencies = ["numpy=>2,=<3"]')},
        "pyproject.toml",
        'dependencies = ["numpy>=2,<=3"]',
    ),
    "requirement-in-a-list": (
        "BK501",
        {
            "pyproject.toml": "",
            "wire.py": GOOD_WIRE,
            "manifest.json": '{"name": "m", "version": "1"}',
            "requirements.txt": "scipy\nnumpy =>2  # n\n",
        },
        "requirements.txt",
        "scipy\nnumpy >=2  # n\n",
    ),
    "setting-misspelt": (
        "BK107",
        {"pyproject.toml": pyproject(after="[tool.bundlekit]\nnetwrok = true\n")},
        "pyproject.toml",
        "network = true",
    ),
    "setting-of-a-task-misspelt": (
        "BK107",
        {"pyproject.toml": pyproject(after="[[tool.bundlekit.smoke]]\n[[tool.bundlekit.smoke]]\nsead = 1\n")},
        "pyproject.toml",
        "[[tool.bundlekit.smoke]]\n[[tool.bundlekit.smoke]]\nseed = 1\n",
    ),
    "dependency-missing": (
        "BK505",
        {"pyproject.toml": pyproject(project="dependencies = []"), "model/wire.py": f"import yaml\n{GOOD_WIRE}"},
        "pyproject.toml",
        'dependencies = ["PyYAML"]',
    ),
    "registered-target": (
        "BK405",
        {
            "pyproject.toml": pyproject(),
            "model/fit.py": _LOSS,
            ".modelops-bundle/registry.yaml": (
                "targets:\n  fit:\n    entrypoint: 'model.fit:los'  # los\n    path: model/fit.py\n"
            ),
        },
        ".modelops-bundle/registry.yaml",
        "    entrypoint: 'model.fit:loss'  # los\n",
    ),
    "target-set": (
        "BK133",
        {
            "model/fit.py": _LOSS,
            ".modelops-bundle/registry.yaml": (
                "targets:\n  incidence:\n    entrypoint: model.fit:loss\n    path: model/fit.py\n"
                "target_sets:\n  all:\n    targets: [incidense]\n"
            ),
        },
        ".modelops-bundle/registry.yaml",
        "targets: [incidence]",
    ),
}


@pytest.mark.parametrize(("code", "files", "path", "expected"), _FIXED.values(), ids=_FIXED)
def test_a_finding_with_one_safe_mend_is_fixed(
    code: str, files: dict[str, str], path: str, expected: str, tmp_path: Path
) -> None:
    """After the fix the finding is gone, and a second fix changes nothing."""
    root = make_bundle(tmp_path, files)
    assert code in [each.code for each in findings_of(root) if each.edit is not None]
    (report,) = fix([root], ValidateOptions(level=Level.STATIC), lambda _: None)
    assert report.unfixed == ()
    text = (root / path).read_text()
    assert expected in text
    assert not {made.finding for made in report.fixed} & set(report.findings)
    (again,) = fix([root], ValidateOptions(level=Level.STATIC), lambda _: None)
    assert again.fixed == ()
    assert (root / path).read_text() == text


_EXAMPLES = {rule.code: rule.bad for rule in RULES}


@pytest.mark.parametrize("files", _EXAMPLES.values(), ids=_EXAMPLES)
def test_the_example_of_a_rule_can_be_fixed_and_keeps_what_is_not_meant(files: dict[str, str], tmp_path: Path) -> None:
    """Whatever rules propose is possible, mends what was found, and is done once: no other file is touched."""
    root = make_bundle(tmp_path, files)
    edits = [each for each in findings_of(root) if each.edit is not None]
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    (report,) = fix([root], ValidateOptions(level=Level.STATIC), lambda _: None)
    after = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert report.unfixed == ()
    assert [each for each in report.findings if each.edit is not None] == []
    assert {each.message for each in edits} <= {made.finding.message for made in report.fixed}
    assert not {made.finding.message for made in report.fixed} & {each.message for each in report.findings}
    changed = {path.relative_to(root).as_posix() for path in after if before.get(path) != after[path]}
    assert changed == {made.path for made in report.fixed}
    assert before.keys() <= after.keys()


_LEFT: dict[str, tuple[str, dict[str, str]]] = {
    "two-near-names": (
        "BK405",
        {
            "pyproject.toml": _targets("model.fit:loss_of_x"),
            "model/fit.py": _LOSS.replace("loss", "loss_of_y") + _LOSS.replace("loss", "loss_of_z"),
        },
    ),
    "another-number": (
        "BK405",
        {"pyproject.toml": _targets("model.fit:loss_2"), "model/fit.py": _LOSS.replace("loss", "loss_1")},
    ),
    "nothing-near": ("BK405", {"pyproject.toml": _targets("model.fit:deaths"), "model/fit.py": _LOSS}),
    "near-and-no-target": (
        "BK405",
        {"pyproject.toml": _targets("model.fit:los"), "model/fit.py": "loss = 1.0\ndef lose(a, b, c): ...\n"},
    ),
    "near-and-async": ("BK405", {"pyproject.toml": _targets("model.fit:los"), "model/fit.py": f"async {_LOSS}"}),
    "in-two-other-modules": (
        "BK405",
        {"pyproject.toml": _targets("model.wire:loss"), "model/fit.py": _LOSS, "model/old.py": _LOSS},
    ),
    "near-here-and-the-name-elsewhere": (
        "BK405",
        {
            "pyproject.toml": _targets("model.fit:loss"),
            "model/fit.py": _LOSS.replace("loss", "losses"),
            "model/old.py": _LOSS,
        },
    ),
    "module-without-a-colon": ("BK401", {"pyproject.toml": _targets("model.fit"), "model/fit.py": _LOSS}),
    "name-alone": ("BK401", {"pyproject.toml": _targets("loss"), "model/fit.py": _LOSS}),
    "two-colons": ("BK401", {"pyproject.toml": _targets("model:fit:loss"), "model/fit.py": _LOSS}),
    "file-of-no-module": ("BK401", {"pyproject.toml": _targets("my-fit.py:loss"), "my-fit.py": _LOSS}),
    "file-and-no-target": ("BK401", {"pyproject.toml": _targets("model/fit.py:los"), "model/fit.py": _LOSS}),
    "attribute-of-a-class": (
        "BK405",
        {
            "pyproject.toml": _targets("model.fit:Fit.los"),
            "model/fit.py": "class Fit:\n    @staticmethod\n    def loss(a, b=None): ...\n",
        },
    ),
    "near-module-without-it": (
        "BK404",
        {"pyproject.toml": _targets("model.fits:loss"), "model/fit.py": "def other(a): ...\n"},
    ),
    "two-wires": ("BK301", {"pyproject.toml": _NO_WIRE, "model/other.py": GOOD_WIRE}),
    "wire-of-another-kind": ("BK301", {"pyproject.toml": _NO_WIRE, "model/wire.py": "def wire(params, seed): ...\n"}),
    "wire-that-may-be-anything": ("BK301", {"pyproject.toml": _NO_WIRE, "model/wire.py": "wire = make()\n"}),
    "no-wire-at-all": ("BK301", {"pyproject.toml": _NO_WIRE, "model/wire.py": ""}),
    "group-that-is-only-alike": ("BK301", {"pyproject.toml": _group("modelops.hooks")}),
    "manifest-that-leads-nowhere": (
        "BK310",
        {"pyproject.toml": _NO_WIRE, ".modelops/manifest.json": '{"wire": "model.gone:wire"}'},
    ),
    "manifest-without-a-project": (
        "BK310",
        {"pyproject.toml": "", "manifest.json": "{}", ".modelops/manifest.json": '{"wire": "model.wire:wire"}'},
    ),
    "wire-by-a-path-that-no-name-leads-to": (
        "BK310",
        {
            "pyproject.toml": _NO_WIRE,
            ".modelops/manifest.json": '{"wire": "my-code/wire.py:wire"}',
            "my-code/wire.py": GOOD_WIRE,
        },
    ),
    "two-parameters": (
        "BK410",
        {"pyproject.toml": _targets("model.fit:loss"), "model/fit.py": "def loss(a, b): ...\n"},
    ),
    "name-in-use": (
        "BK410",
        {
            "pyproject.toml": _targets("model.fit:loss"),
            "model/fit.py": "target_data = 1\ndef loss(a):\n    return target_data\n",
        },
    ),
    "name-is-global": (
        "BK410",
        {"pyproject.toml": _targets("model.fit:loss"), "model/fit.py": "def loss(a):\n    global target_data\n"},
    ),
    "keywords-of-any-name": (
        "BK410",
        {"pyproject.toml": _targets("model.fit:loss"), "model/fit.py": "def loss(a, **more): ...\n"},
    ),
    "decorated": (
        "BK410",
        {
            "pyproject.toml": _targets("model.fit:loss"),
            "model/fit.py": f"import functools\n@functools.cache\n{_ONE}",
        },
    ),
    "inside-a-condition": (
        "BK410",
        {"pyproject.toml": _targets("model.fit:loss"), "model/fit.py": f"if True:\n    {_ONE}"},
    ),
    "another-target-has-that-name": (
        "BK405",
        {
            "pyproject.toml": pyproject(after='[tool.bundlekit]\ntargets = ["model.fit:loss", "model.fit:losses"]'),
            "model/fit.py": "def loss(a, b=None): ...\n",
        },
    ),
    "another-target-has-that-module": (
        "BK404",
        {
            "pyproject.toml": pyproject(after='[tool.bundlekit]\ntargets = ["model.fit:loss", "model.fits:loss"]'),
            "model/fit.py": "def loss(a, b=None): ...\n",
        },
    ),
    "one-equals-sign": ("BK501", {"pyproject.toml": pyproject(project='dependencies = ["numpy=2"]')}),
    "turned-round-and-wrong": ("BK501", {"pyproject.toml": pyproject(project='dependencies = ["numpy=>x y"]')}),
    "setting-that-is-there": (
        "BK107",
        {"pyproject.toml": pyproject(after="[tool.bundlekit]\nnetwrok = true\nnetwork = false\n")},
    ),
    "setting-like-no-other": ("BK107", {"pyproject.toml": pyproject(after="[tool.bundlekit]\nqueue = true\n")}),
    "import-near-a-dependency": (
        "BK505",
        {
            "pyproject.toml": pyproject(project='dependencies = ["starsim"]'),
            "model/wire.py": f"import starsims\n{GOOD_WIRE}",
        },
    ),
    "import-of-several-providers": (
        "BK505",
        {"pyproject.toml": pyproject(project="dependencies = []"), "model/wire.py": f"import cv2\n{GOOD_WIRE}"},
    ),
    "import-of-an-unknown-name": (
        "BK505",
        {"pyproject.toml": pyproject(project="dependencies = []"), "model/wire.py": f"import acme_models\n{GOOD_WIRE}"},
    ),
    "declared-in-another-format": (
        "BK305",
        {
            "pyproject.toml": _NO_WIRE.replace("version", 'dynamic = ["entry-points"]\nversion'),
            "setup.cfg": "[options.entry_points]\nmodelops.wire =\n    execute = model.wire:wir\n",
        },
    ),
}


@pytest.mark.parametrize(("code", "files"), _LEFT.values(), ids=_LEFT)
def test_a_finding_whose_mend_would_be_a_guess_has_none(code: str, files: dict[str, str], tmp_path: Path) -> None:
    """A wrong mend is worse than none: the results would be those of another function."""
    found = [each for each in findings_of(make_bundle(tmp_path, files)) if each.code == code]
    assert found
    assert [each.edit for each in found] == [None] * len(found)


def test_a_job_beside_the_bundle_is_fixed_since_it_was_named(tmp_path: Path) -> None:
    """Jobs do not ship, so most lie elsewhere; every occurrence of the name is mended, each in a round."""
    root = make_bundle(tmp_path / "sir", {"model/fit.py": _LOSS})
    job = tmp_path / "job.json"
    job.write_text('{"tasks": [{"entrypoint": "model.wire/main"}],\n "target_entrypoint": "model.fit:los"}')
    (report,) = fix([root], ValidateOptions(level=Level.STATIC, job_spec=job), lambda _: None)
    assert job.read_text().endswith('"target_entrypoint": "model.fit:loss"}')
    assert [made.path for made in report.fixed] == ["../job.json"]


_NEAR: dict[str, tuple[str, list[str], str | None, str | None]] = {
    "the-only-near-one": ("incidence_target", ["incidence_loss", "deaths"], "incidence_loss", None),
    "a-slip": ("incidence_los", ["incidence_loss", "incidence_total"], "incidence_loss", "incidence_loss"),
    "twice": ("los", ["loss", "loss"], "loss", "loss"),
    "several": ("incidence_target", ["incidence_loss", "incidence_rate"], None, None),
    "slips-of-two": ("los", ["loss", "lost"], None, None),
    "two-slips": ("incedense", ["incidence"], "incidence", "incidence"),
    "two-slips-in-a-short-name": ("soll", ["loss"], None, None),
    "swapped": ("netwrok", ["network"], "network", "network"),
    "very-short": ("a", ["b"], None, None),
    "digits": ("loss_2", ["loss_1"], None, None),
    "letters": ("loss_a", ["loss_b"], None, None),
    "digits-and-others": ("loss_12", ["loss_11", "lossy"], None, None),
    "far": ("deaths", ["loss"], None, None),
    "itself": ("loss", ["loss"], None, None),
    "nothing": ("loss", [], None, None),
}


@pytest.mark.parametrize(("name", "candidates", "only", "slip"), _NEAR.values(), ids=_NEAR)
def test_a_name_is_written_only_where_no_other_can_be_meant(
    name: str, candidates: list[str], only: str | None, slip: str | None
) -> None:
    """What is written in a scientist's place must be what they meant."""
    assert only_near_name(name, candidates) == only
    assert slip_of(name, candidates) == slip
