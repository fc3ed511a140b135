"""BK313-BK316, BK318 and BK412-BK415 on code as people write it: what is found, and what is left alone."""

# ruff: noqa: E501 - a row of a table is one line

from pathlib import Path

import pytest
from builders.bundles import findings_of, make_bundle, pyproject

from bundlekit.model.finding import Finding, Severity

_TARGETS = pyproject(after='[tool.bundlekit]\ntargets = ["model.fit:loss"]\n')
_RUN = "import json\n\n\ndef run(name, entrypoint, params, seed):\n    return {name: json.dumps(params)}\n"
_CODES = {"BK313", "BK314", "BK315", "BK316", "BK318", "BK412", "BK413", "BK414", "BK415"}
_GOOD = 'return {"result": b"1"}'
_FIT = 'return {"loss": 1.0}'


def _wire(body: str, annotation: str = "", before: str = "") -> str:
    return f"{before}def wire(entrypoint, params, seed){annotation}:\n    {body}\n"


def _loss(body: str, annotation: str = "", before: str = "", parameters: str = "sim_returns, target_data=None") -> str:
    return f"{before}def loss({parameters}){annotation}:\n    {body}\n"


def _found(root: Path, wire: str | None = None, loss: str | None = None) -> list[Finding]:
    files: dict[str, str | bytes] = {"model/other.py": "def reject(): ...\n", "model/run.py": _RUN}
    if wire is not None:
        files["model/wire.py"] = wire
    if loss is not None:
        files |= {"pyproject.toml": _TARGETS, "model/fit.py": loss}
    make_bundle(root, files)
    return [finding for finding in findings_of(root) if finding.code in _CODES]


def _shown(found: list[Finding]) -> list[str]:
    return [f"{finding.severity.value} {finding.code}" for finding in found]


_SIM = "return simulate(params)"

_ANNOTATIONS: dict[str, tuple[str, str, str]] = {
    "none": ("error", "None", ""),
    "str": ("error", "str", ""),
    "int": ("error", "int", ""),
    "bytes": ("error", "bytes", ""),
    "list": ("error", "list", ""),
    "list-of-bytes": ("error", "list[bytes]", ""),
    "typing-list": ("error", "List[bytes]", "from typing import List\n"),
    "tuple": ("error", "tuple[str, bytes]", ""),
    "iterator": ("error", "Iterator[bytes]", "from collections.abc import Iterator\n"),
    "module-alias": ("error", "t.Iterator[bytes]", "import typing as t\n"),
    "int-keys": ("error", "dict[int, bytes]", ""),
    "str-values": ("error", "dict[str, str]", ""),
    "typing-dict-of-float": ("error", "Dict[str, float]", "from typing import Dict\n"),
    "mapping-of-dicts": ("error", "Mapping[str, dict[str, int]]", "from collections.abc import Mapping\n"),
    "values-of-either": ("error", "dict[str, str | float]", ""),
    "string": ("error", "'list[bytes]'", ""),
    "string-of-alternatives": ("error", "'str | None'", ""),
    "either-is-wrong": ("error", "str | int", ""),
    "union": ("error", "Union[str, int]", "from typing import Union\n"),
    "annotated": ("error", "Annotated[str, 'csv']", "from typing import Annotated\n"),
    "no-return": ("error", "NoReturn", "from typing import NoReturn\n"),
    "optional": ("warning", "Optional[dict]", "from typing import Optional\n"),
    "or-none": ("warning", "dict[str, bytes] | None", ""),
    "or-none-in-string": ("warning", "'dict[str, bytes] | None'", ""),
}


@pytest.mark.parametrize(("severity", "annotation", "before"), _ANNOTATIONS.values(), ids=_ANNOTATIONS)
def test_an_annotation_that_contradicts_the_wire_protocol_is_found(
    severity: str, annotation: str, before: str, tmp_path: Path
) -> None:
    """The author says what comes back; no runner takes it."""
    found = _found(tmp_path, _wire(_SIM, f" -> {annotation}", before))
    assert _shown(found) == [f"{severity} BK313"]
    assert f"is annotated to return {annotation}: runners expect a dict from names to bytes" in found[0].message
    assert found[0].column == len("def wire(entrypoint, params, seed) -> ") + 1


_FITTING_ANNOTATIONS: dict[str, tuple[str, str]] = {
    "dict": ("dict", ""),
    "dict-of-bytes": ("dict[str, bytes]", ""),
    "dict-of-memoryview": ("dict[str, memoryview]", ""),
    "dict-of-bytes-or-str": ("dict[str, bytes | str]", ""),
    "dict-of-object": ("dict[str, object]", ""),
    "dict-of-any": ("dict[str, Any]", "from typing import Any\n"),
    "one-argument": ("dict[str]", ""),
    "any": ("Any", "from typing import Any\n"),
    "object": ("object", ""),
    "iterable": ("Iterable[str]", "from collections.abc import Iterable\n"),
    "unknown-name": ("'Outputs'", ""),
    "unknown-attribute": ("'lab.Outputs'", ""),
    "alias": ("Outputs", "Outputs = dict\n"),
    "no-python": ("'dict of bytes'", ""),
    "number": ("1", ""),
    "call": ("type(1)", ""),
    "shadowed-str": ("str", "from .other import reject as str\n"),
    "shadowed-list": ("list[bytes]", "class list(dict): ...\n"),
    "shadowed-by-global": ("str", "def set_up():\n    global str\n    str = dict\n"),
    "shadowed-by-walrus": ("str", "if (str := dict): ...\n"),
    "subscript-of-call": ("find()[str]", ""),
    "star-import": ("str", "from .other import *\n"),
    "twice-imported": (
        "List",
        "try:\n    from typing import List\nexcept ImportError:\n    from .other import reject as List\n",
    ),
    "either-fits": ("str | dict", ""),
}


@pytest.mark.parametrize(("annotation", "before"), _FITTING_ANNOTATIONS.values(), ids=_FITTING_ANNOTATIONS)
def test_an_annotation_that_may_fit_is_left_alone(annotation: str, before: str, tmp_path: Path) -> None:
    """A type that is not known by name says nothing."""
    assert _found(tmp_path, _wire(_SIM, f" -> {annotation}", before)) == []


def test_an_annotation_that_the_body_belies_is_a_warning(tmp_path: Path) -> None:
    """Annotations do not run: a dict is what comes back, so nothing fails."""
    assert _shown(_found(tmp_path, _wire(_GOOD, " -> None"))) == ["warning BK313"]


def test_one_mistake_has_one_finding(tmp_path: Path) -> None:
    """The value tells more than the annotation that agrees with it."""
    assert _shown(_found(tmp_path, _wire('return {"a": "1"}', " -> dict[str, str]"))) == ["error BK316"]


@pytest.mark.parametrize("body", ["return dict(result=data)", "return {name: data for name in params}"])
def test_other_ways_to_make_a_dict_belie_an_annotation_too(body: str, tmp_path: Path) -> None:
    """As above."""
    assert _shown(_found(tmp_path, _wire(body, " -> list"))) == ["warning BK313"]


_FLOWS: dict[str, tuple[str, str]] = {
    "pass": ("error BK314", "pass"),
    "docstring": ("error BK314", '"""Simulates."""'),
    "bare-return": ("error BK314", "return"),
    "return-none": ("error BK314", "return None"),
    "assigned-only": ("error BK314", 'result = {"a": b"1"}'),
    "nested-function-returns": ("error BK314", "def run():\n        return {}\n    run()"),
    "call-at-the-end": ("error BK314", "simulate(params)"),
    "with-at-the-end": ("error BK314", "with open('a') as file:\n        raise ValueError(file)"),
    "raises": ("error BK314", "raise NotImplementedError"),
    "both-raise": ("error BK314", "if seed:\n        raise ValueError\n    else:\n        raise KeyError"),
    "assert-false": ("error BK314", "assert False, 'to do'"),
    "value-behind-raise": ("error BK314", f"raise ValueError\n    {_GOOD}"),
    "value-on-false": ("error BK314", f"if False:\n        {_GOOD}"),
    "if-alone": ("warning BK315", f"if params:\n        {_GOOD}"),
    "elif-chain": (
        "warning BK315",
        f"if entrypoint == 'a':\n        {_GOOD}\n    elif entrypoint == 'b':\n        {_GOOD}",
    ),
    "bare-return-first": ("warning BK315", f"if not params:\n        return\n    {_GOOD}"),
    "loop": ("warning BK315", f"for name in params:\n        {_GOOD}"),
    "while": ("warning BK315", f"while seed:\n        seed -= 1\n        if seed == 3:\n            {_GOOD}"),
    "while-true-break": ("warning BK315", f"while True:\n        if seed:\n            break\n        {_GOOD}"),
    "handler": ("warning BK315", f"try:\n        {_GOOD}\n    except ValueError:\n        print('failed')"),
    "handler-that-logs": (
        "warning BK315",
        f"try:\n        {_GOOD}\n    except ValueError:\n        logger.error('failed')",
    ),
    "suppress": ("warning BK315", f"with contextlib.suppress(KeyError):\n        {_GOOD}"),
    "match-literals": ("warning BK315", f"match entrypoint:\n        case 'a' | 'b':\n            {_GOOD}"),
    "helper-that-returns": ("warning BK315", f"if params:\n        {_GOOD}\n    report()"),
    "conditional-none": ("warning BK315", "return run(seed) if seed else None"),
    "handler-that-shows": (
        "warning BK315",
        f"try:\n        {_GOOD}\n    except ValueError:\n        traceback.print_exc()",
    ),
    "for-else": (
        "warning BK315",
        f"for name in params:\n        if name:\n            {_GOOD}\n    else:\n        print(seed)",
    ),
}
_HELPERS = "\n\ndef report():\n    print('reported')\n\n\ndef refuse():\n    raise ValueError\n"


@pytest.mark.parametrize(("shown", "body"), _FLOWS.values(), ids=_FLOWS)
def test_a_wire_without_a_result_is_found(shown: str, body: str, tmp_path: Path) -> None:
    """None is no result: the task fails after the simulation has run."""
    assert _shown(_found(tmp_path, _wire(body) + _HELPERS)) == [shown]


_WHOLE_FLOWS: dict[str, str] = {
    "stub": "...",
    "documented-stub": '"""Simulates."""\n    ...',
    "if-else": f"if params:\n        {_GOOD}\n    else:\n        {_GOOD}",
    "raise-at-the-end": f"if params:\n        {_GOOD}\n    raise ValueError(seed)",
    "exit-at-the-end": f"if params:\n        {_GOOD}\n    sys.exit(1)",
    "only-exits": "sys.exit(1)",
    "endless": "while True:\n        simulate(params)",
    "endless-in-with": "with lock:\n        while True:\n            simulate(params)",
    "endless-until-return": f"while True:\n        if seed:\n            {_GOOD}",
    "while-one": f"while 1:\n        {_GOOD}",
    "try-finally": f"try:\n        {_GOOD}\n    finally:\n        print(seed)",
    "try-else": f"try:\n        data = b''\n    except ValueError:\n        raise\n    else:\n        {_GOOD}",
    "finally-returns": f"try:\n        simulate(params)\n    finally:\n        {_GOOD}",
    "finally-raises": "try:\n        return run(seed)\n    except KeyError:\n        print(seed)\n    finally:\n        raise ValueError",
    "handler-raises": f"try:\n        {_GOOD}\n    except ValueError as error:\n        raise RuntimeError from error",
    "with": f"with open('a'):\n        {_GOOD}",
    "match-wildcard": f"match entrypoint:\n        case 'a':\n            {_GOOD}\n        case _:\n            {_GOOD}",
    "match-name": f"match entrypoint:\n        case other:\n            {_GOOD}",
    "match-wildcard-named": f"match entrypoint:\n        case 'b' | _ as name:\n            {_GOOD}",
    "match-classes": f"match entrypoint:\n        case str():\n            {_GOOD}\n        case bytes():\n            {_GOOD}",
    "match-enumeration": f"match entrypoint:\n        case Kind.A:\n            {_GOOD}",
    "opposites": f"if params:\n        {_GOOD}\n    if not params:\n        {_GOOD}",
    "opposite-comparisons": f"if seed < 3:\n        {_GOOD}\n    elif seed >= 3:\n        {_GOOD}",
    "not-first": f"if not params:\n        {_GOOD}\n    elif params:\n        {_GOOD}",
    "types": f"if isinstance(seed, int):\n        {_GOOD}\n    elif isinstance(seed, bool):\n        {_GOOD}",
    "enumeration": f"if entrypoint is Kind.A:\n        {_GOOD}\n    elif entrypoint is Kind.B:\n        {_GOOD}",
    "attempts": f"for attempt in range(3):\n        try:\n            {_GOOD}\n        except OSError:\n            if attempt == 2:\n                raise",
    "endless-iterator": f"for attempt in itertools.count():\n        if attempt > seed:\n            {_GOOD}",
    "first-of-a-display": f"for first in (1, 2):\n        {_GOOD}",
    "helper-that-raises": f"if params:\n        {_GOOD}\n    refuse()",
    "imported-helper": f"if params:\n        {_GOOD}\n    reject()",
    "method": f"if params:\n        {_GOOD}\n    self.report()",
    "method-that-may-raise": f"if params:\n        {_GOOD}\n    parser.error('no parameters')",
    "continue": f"while True:\n        if seed:\n            continue\n        {_GOOD}",
    "try-raises-inside": f"try:\n        raise ValueError\n    except ValueError:\n        {_GOOD}",
    "attempts-then-raise": f"for _ in (1, 2):\n        try:\n            {_GOOD}\n        except OSError as error:\n            last = error\n    if last:\n        raise last",
    "handler-by-method": f"try:\n        {_GOOD}\n    except OSError as error:\n        runner.handle(error)",
    "suppressed-output": f"with numpy.printoptions(suppress=True):\n        {_GOOD}",
    "suppressed-log": f"with suppress_log('numba'):\n        {_GOOD}",
    "version": f"if sys.version_info >= (3, 8):\n        {_GOOD}",
}


@pytest.mark.parametrize("body", _WHOLE_FLOWS.values(), ids=_WHOLE_FLOWS)
def test_a_wire_that_may_always_return_is_left_alone(body: str, tmp_path: Path) -> None:
    """Where only running tells whether a path is taken, nothing is said."""
    assert _found(tmp_path, _wire(body, before="import sys\n") + _HELPERS) == []


def test_a_wire_that_only_raises_is_told_so(tmp_path: Path) -> None:
    """It is another mistake than a forgotten return."""
    (found,) = _found(tmp_path, _wire("raise NotImplementedError"))
    assert found.message == "the wire 'model.wire:wire' always raises: every call of it fails"


_OUTPUTS: dict[str, tuple[str, str]] = {
    "str": ("a str", 'return {"a": "1"}'),
    "number": ("an int", 'return {"a": 1}'),
    "negative": ("a float", 'return {"a": -1.5}'),
    "none": ("None", 'return {"a": None}'),
    "f-string": ("a str", 'return {"a": f"{seed}"}'),
    "list": ("a list", 'return {"a": [1]}'),
    "comprehension": ("a list", 'return {"a": [x for x in params]}'),
    "dict": ("a dict", 'return {"a": {"b": 1}}'),
    "set": ("a set", 'return {"a": {1}}'),
    "tuple": ("a tuple", 'return {"a": (1, 2)}'),
    "json": ("a str", 'return {"a": json.dumps(params)}'),
    "json-imported-inside": ("a str", 'import json as j\n    return {"a": j.dumps(params)}'),
    "str-call": ("a str", 'return {"a": str(seed)}'),
    "len": ("an int", 'return {"a": len(params)}'),
    "local": ("a str", 'outputs = {"a": "1"}\n    return outputs'),
    "annotated-local": ("a str", 'outputs: dict = {"a": "1"}\n    return outputs'),
    "int-key": ("1", 'return {1: b"1"}'),
    "none-key": ("None", 'return {None: b"1"}'),
    "empty-key": ("''", 'return {"": b"1"}'),
    "tuple-key": ("a tuple", 'return {(1, 2): b"1"}'),
    "whole-str": ("a str", 'return "result"'),
    "whole-list": ("a list", 'return [b"1"]'),
    "whole-tuple": ("a tuple", 'return {"a": b"1"}, 0'),
    "whole-json": ("a str", "return json.dumps(params)"),
    "empty": ("an empty dict", "return {}"),
    "empty-by-name": ("an empty dict", "return dict()"),
    "empty-local": ("an empty dict", "outputs = {}\n    return outputs"),
    "empty-bytes": ("empty bytes alone", 'return {"a": b"", "b": b""}'),
    "empty-beside-metadata": ("empty bytes alone", 'return {"metadata": b"{}", "a": b""}'),
    "conditional-value": ("a str", 'return {"a": "x" if seed else "y"}'),
    "concatenation": ("a str", 'return {"a": "x" + str(seed)}'),
    "percent": ("a str", 'return {"a": "x%d" % seed}'),
    "format": ("a str", 'return {"a": "x{}".format(seed)}'),
    "join": ("a str", 'return {"a": ",".join(params)}'),
}


@pytest.mark.parametrize(("what", "body"), _OUTPUTS.values(), ids=_OUTPUTS)
def test_outputs_that_runners_refuse_are_found(what: str, body: str, tmp_path: Path) -> None:
    """The child refuses each of these after the simulation has run."""
    (found,) = _found(tmp_path, _wire(body, before="import json\n"))
    assert (found.code, found.severity) == ("BK316", Severity.ERROR)
    assert found.message.endswith(f", found {what}")


_GOOD_OUTPUTS: dict[str, str] = {
    "bytes": _GOOD,
    "metadata-alone": 'return {"metadata": b"{}"}',
    "one-of-two-empty": 'return {"a": b"", "b": b"1"}',
    "filled": 'outputs = {}\n    outputs["a"] = run(seed)\n    return outputs',
    "filled-by-arguments": "return dict(params)",
    "encoded": 'return {"a": json.dumps(params).encode()}',
    "bytearray": 'return {"a": bytearray(3)}',
    "call": 'return {"a": simulate(seed)}',
    "name": 'return {"a": data}',
    "other-json": 'json = params["json"]\n    return {"a": json.dumps(seed)}',
    "own-str": 'def str(x):\n        return b""\n    return {"a": str(seed)}',
    "computed-key": 'return {entrypoint: b""}',
    "overridden": 'return {"a": "1", "a": b"1"}',
    "overridden-by-unpacking": 'return {"a": "1", **params}',
    "overridden-by-computed": 'return {"a": "1", entrypoint: b""}',
    "unpacked": "return {**params}",
    "changed-local": 'outputs = {"a": "1"}\n    outputs["a"] = b"1"\n    return outputs',
    "passed-local": 'outputs = {"a": "1"}\n    encode(outputs)\n    return outputs',
    "twice-assigned": 'outputs = {"a": "1"}\n    outputs = run(seed)\n    return outputs',
    "local-of-two-names": 'outputs = other = {"a": "1"}\n    return outputs',
    "global": 'global outputs\n    outputs = {"a": "1"}\n    return outputs',
    "parameter": "return params",
    "computed-call": 'return {"a": find()[0](seed)}',
    "method-of-call": 'return {"a": find().dumps(seed)}',
    "conditional": 'return {"a": b"1"} if seed else {"a": b"2"}',
    "conditional-value": 'return {"a": b"1" if seed else "2"}',
    "encoded-parts": 'return {"a": ("x" + str(seed)).encode()}',
    "encoded-format": 'return {"a": "x{}".encode()}',
    "added-to-unknown": 'return {"a": "x" + run(seed)}',
    "bytes-format": 'return {"a": b"%d" % seed}',
    "parameter-replaced": 'if not seed:\n        params = {"a": "1"}\n    return params',
    "pattern-replaced": 'match params:\n        case dict() as outputs:\n            pass\n        case _:\n            outputs = {"a": "1"}\n    return outputs',
    "pattern-rest-replaced": 'match params:\n        case {"a": 1, **outputs}:\n            pass\n        case _:\n            outputs = {"a": "1"}\n    return outputs',
    "handler-replaced": 'try:\n        import outputs\n    except ImportError:\n        outputs = {"a": "1"}\n    return outputs',
    "another-function's": 'def run():\n        outputs = {"a": "1"}\n    run()\n    return outputs',
}


@pytest.mark.parametrize("body", _GOOD_OUTPUTS.values(), ids=_GOOD_OUTPUTS)
def test_outputs_that_may_do_are_left_alone(body: str, tmp_path: Path) -> None:
    """Only literals are judged, and those only where nothing changes them."""
    assert _found(tmp_path, _wire(body, before="import json\n")) == []


def test_a_refused_literal_on_one_of_several_paths_is_a_warning(tmp_path: Path) -> None:
    """Whether that path is taken is not known."""
    found = _found(tmp_path, _wire(f'if seed:\n        {_GOOD}\n    return {{"error": "no seed"}}'))
    assert [(each.code, each.severity, each.line, each.column) for each in found] == [
        ("BK316", Severity.WARNING, 4, 22)
    ]


_REPORTED: dict[str, tuple[str, str]] = {
    "error-alone": ("as its only output", 'return {"error": b"no data"}'),
    "error-beside-metadata": ("as its only output", 'return {"error": run(seed), "metadata": b"{}"}'),
    "metadata": ("in its metadata", 'return {"metadata": b\'{"error": "no data"}\', "a": run(seed)}'),
    "encoded-metadata": (
        "in its metadata",
        'return {"metadata": json.dumps({"error": str(seed)}).encode("utf-8"), "a": run(seed)}',
    ),
    "on-each-path": ("as its only output", 'if seed:\n        return {"error": b"a"}\n    return {"error": b"b"}'),
}


@pytest.mark.parametrize(("where", "body"), _REPORTED.values(), ids=_REPORTED)
def test_a_wire_that_always_reports_an_error_is_told_so(where: str, body: str, tmp_path: Path) -> None:
    """Every runner of ours takes such outputs for a failure."""
    (found,) = _found(tmp_path, _wire(body, before="import json\n"))
    assert (found.code, found.severity) == ("BK318", Severity.INFO)
    assert f"reports an error {where} whatever happens" in found.message


_NOT_REPORTED: dict[str, str] = {
    "beside-another": 'return {"error": b"none", "a": run(seed)}',
    "on-one-path": f'if seed:\n        return {{"error": b"seed"}}\n    {_GOOD}',
    "unpacked": 'return {"error": b"none", **run(seed)}',
    "computed-key": 'return {"error": b"none", entrypoint: run(seed)}',
    "metadata-of-another": 'return {"metadata": b\'{"errors": 0}\', "a": run(seed)}',
    "metadata-that-is-a-list": 'return {"metadata": b\'["error"]\', "a": run(seed)}',
    "metadata-that-is-no-json": 'return {"metadata": b"error", "a": run(seed)}',
    "metadata-computed": 'return {"metadata": run({"error": 1}).encode(), "a": run(seed)}',
    "metadata-by-name": 'return {"metadata": data, "a": run(seed)}',
    "call": 'return run({"error": b"none"})',
}


@pytest.mark.parametrize("body", _NOT_REPORTED.values(), ids=_NOT_REPORTED)
def test_a_wire_that_may_report_no_error_is_left_alone(body: str, tmp_path: Path) -> None:
    """Errors on some paths are what the outputs of that name are for."""
    assert _found(tmp_path, _wire(body, before="import json\n")) == []


_DEFINED: dict[str, tuple[list[str], str]] = {
    "lambda": (["error BK316"], "wire = lambda entrypoint, params, seed: 'a'\n"),
    "cached": (["error BK316"], "import functools\n@functools.lru_cache(maxsize=None)\n" + _wire("return 'a'")),
    "static": (
        ["error BK316"],
        "class W:\n    @staticmethod\n    def run(a, b, c):\n        return 'a'\nwire = W.run\n",
    ),
    "method": (["error BK314"], "class W:\n    def __call__(self, a, b, c):\n        pass\nwire = W()\n"),
    "decorated": ([], "from lab import encoded\n@encoded\n" + _wire("return 'a'")),
    "decorated-by-another": ([], "import typing\n@typing.final\n" + _wire("return 'a'")),
    "decorated-by-attribute-of-a-call": ([], "import lab\n@lab.make().encoded\n" + _wire("return 'a'")),
    "shadowed-cache": ([], "def cache(f):\n    return lambda a, b, c: {'a': b'1'}\n@cache\n" + _wire("return 'a'")),
    "class-shadows": (
        [],
        "class W:\n    str = dict\n    def __call__(self, a, b, c) -> str:\n        return run(a)\nwire = W()\n",
    ),
    "generator": ([], _wire("yield 'a'")),
    "partial": (
        ["error BK316"],
        "import functools\nfrom .run import run\nwire = functools.partial(run, 'x')\n",
    ),
    "factory": (
        [],
        "def make(str):\n    def wire(a, b, c):\n        return {'a': str(c)}\n    return wire\nwire = make(bytes)\n",
    ),
    "handler-name": (
        [],
        _wire("try:\n        pass\n    except OSError as str:\n        pass\n    return {'a': str(seed)}"),
    ),
    "pattern-names": (
        [],
        _wire(
            "match params:\n        case [*str]:\n            pass\n        case {'a': 1, **len}:\n            pass\n    return {'a': str(seed), 'b': len(seed)}"
        ),
    ),
    "relative-import": ([], _wire("from .other import reject as str\n    return {'a': str(seed)}")),
}


@pytest.mark.parametrize(("shown", "source"), _DEFINED.values(), ids=_DEFINED)
def test_the_function_that_runs_is_judged(shown: list[str], source: str, tmp_path: Path) -> None:
    """A decorator may change the result, and a name may be another's: then nothing is said."""
    assert _shown(_found(tmp_path, source)) == shown


_LOSSES: dict[str, tuple[str, str]] = {
    "annotated-float": ("error BK412", _loss("return score(sim_returns)", " -> float")),
    "annotated-int": ("error BK412", _loss("return score(sim_returns)", " -> int")),
    "annotated-none": ("error BK412", _loss("return score(sim_returns)", " -> None")),
    "annotated-str": ("error BK412", _loss("return score(sim_returns)", " -> str")),
    "annotated-list": ("error BK412", _loss("return score(sim_returns)", " -> list[float]")),
    "annotated-tuple": ("error BK412", _loss("return score(sim_returns)", " -> tuple[float, dict]")),
    "annotated-dict-of-str": ("error BK412", _loss("return score(sim_returns)", " -> dict[str, str]")),
    "annotated-optional": ("warning BK412", _loss("return score(sim_returns)", " -> dict | None")),
    "annotated-evaluator": ("error BK412", _loss("return score()", " -> dict", parameters="")),
    "pass": ("error BK413", _loss("pass")),
    "raises": ("error BK413", _loss("raise NotImplementedError")),
    "sometimes": ("warning BK414", _loss(f"if sim_returns:\n        {_FIT}")),
    "no-loss": ("error BK415", _loss('return {"score": 1.0}')),
    "empty": ("error BK415", _loss("return {}")),
    "no-loss-by-name": ("error BK415", _loss('result = {"Loss": 1.0}\n    return result')),
    "none": ("error BK415", _loss('return {"loss": None}')),
    "text": ("error BK415", _loss('return {"loss": "1"}')),
    "bytes": ("error BK415", _loss('return {"loss": b"1"}')),
    "bool": ("error BK415", _loss('return {"loss": True}')),
    "complex": ("error BK415", _loss('return {"loss": 1j}')),
    "list": ("error BK415", _loss('return {"loss": [1.0]}')),
    "float-nan": ("error BK415", _loss('return {"loss": float("nan")}')),
    "minus-infinity": ("error BK415", _loss('return {"loss": -float("inf")}')),
    "math-nan": ("error BK415", _loss('return {"loss": math.nan}', before="import math\n")),
    "math-inf-by-name": ("error BK415", _loss('return {"loss": inf}', before="from math import inf\n")),
    "numpy-inf": ("error BK415", _loss('import numpy as np\n    return {"loss": np.inf}')),
    "overflow": ("error BK415", _loss('return {"loss": 1e999}')),
    "diagnostics": ("error BK415", _loss('return {"loss": 1.0, "diagnostics": [1]}')),
    "tuple": ("error BK415", _loss("return 1.0, {}")),
    "number": ("error BK415", _loss("return 1.0")),
    "inf": ("error BK415", _loss("return math.inf", before="import math\n")),
    "str": ("error BK415", _loss("return 'loss'")),
    "either-is-none": ("error BK415", _loss('return {"loss": None if sim_returns else float("nan")}')),
    "text-by-format": ("error BK415", _loss('return {"loss": f"{len(sim_returns)}"}')),
    "penalty-on-one-path": (
        "warning BK415",
        _loss(f'if not sim_returns:\n        return {{"loss": float("inf")}}\n    {_FIT}'),
    ),
    "evaluator-dict": ("error BK415", _loss('return {"loss": 1.0}', parameters="data_paths")),
    "evaluator-nan": ("error BK415", _loss("return math.nan", before="import math\n", parameters="")),
}


@pytest.mark.parametrize(("shown", "source"), _LOSSES.values(), ids=_LOSSES)
def test_a_target_without_a_finite_loss_is_found(shown: str, source: str, tmp_path: Path) -> None:
    """The aggregation runs after all simulations have: the later it fails, the dearer."""
    assert _shown(_found(tmp_path, loss=source)) == [shown]


_GOOD_LOSSES: dict[str, str] = {
    "number": _loss(_FIT),
    "integer": _loss('return {"loss": 1}'),
    "huge-integer": _loss(f'return {{"loss": {10**400}}}'),
    "negative": _loss('return {"loss": -1.5}'),
    "penalty": _loss('return {"loss": score(sim_returns) if sim_returns else float("inf")}'),
    "float-call": _loss('return {"loss": float("1")}'),
    "float-of-no-number": _loss('return {"loss": float("one")}'),
    "float-of-array": _loss('return {"loss": float(sim_returns.mean())}'),
    "computed": _loss('return {"loss": score(sim_returns), "diagnostics": {"n": 3}}'),
    "no-diagnostics": _loss('return {"loss": 1.0, "diagnostics": None}'),
    "unpacked": _loss("return {**score(sim_returns)}"),
    "computed-key": _loss('return {LOSS: 1.0, "n": 3}'),
    "overridden": _loss('return {"loss": None, **score(sim_returns)}'),
    "shadowed-math": _loss('return {"loss": math.nan}', before="from .other import math\n"),
    "object": _loss("return Result(1.0)"),
    "dict-annotation": _loss(_FIT, " -> dict[str, float]"),
    "any-annotation": _loss("return score(sim_returns)", " -> dict[str, object]"),
    "named-tuple": _loss("return score(sim_returns)", " -> tuple"),
    "evaluator": _loss("return Evaluator(data_paths)", " -> object", parameters="data_paths"),
    "finally-returns": _loss(f"try:\n        pass\n    finally:\n        {_FIT}"),
}


@pytest.mark.parametrize("source", _GOOD_LOSSES.values(), ids=_GOOD_LOSSES)
def test_a_target_that_may_have_a_loss_is_left_alone(source: str, tmp_path: Path) -> None:
    """What only running tells is the runner's to refuse."""
    assert _found(tmp_path, loss=source) == []


def test_the_place_is_that_of_the_code_that_runs(tmp_path: Path) -> None:
    """A partial stands in the wire's module, and what it calls in another."""
    source = "import functools\nfrom .run import run\nwire = functools.partial(run, 'x')\n"
    (found,) = _found(tmp_path, source)
    assert (found.path, found.line, found.column) == ("model/run.py", 5, 19)
