"""Target functions: three styles, bound by signature, and a loss that is finite or no result (CONTRACT section 4)."""

import base64
import hashlib
import textwrap
from pathlib import Path

import pytest
from builders.cold_runs import aggregate, wire_bundle

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("start")]

FAKE_POLARS = """
    def read_ipc(file):
        data = file.read()
        if not data.startswith(b"ARROW1"):
            raise ValueError("not an Arrow file")
        return data[6:].decode()
"""


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all: the bundles have no dependencies, so they share one environment."""
    return tmp_path_factory.mktemp("cache")


def target(tmp_path: Path, source: str) -> Path:
    """Return a bundle whose module `targets` is `source`; what it calls polars is a stand-in of a few lines."""
    bundle = wire_bundle(tmp_path, "", targets=source, polars=FAKE_POLARS)
    (bundle / "wire.py").unlink()
    return bundle


def replicate(**outputs: bytes) -> dict[str, object]:
    """Return a simulation return as it stands in a task."""
    return {
        "task_id": "t",
        "outputs": {
            name: {
                "size": len(data),
                "checksum": hashlib.blake2b(data, digest_size=32).hexdigest(),
                "inline": base64.b64encode(data).decode(),
            }
            for name, data in outputs.items()
        },
    }


STYLES = {
    "(sim_returns)": "def f(sim_returns): return {'loss': len(sim_returns[0]['outputs']['x']['inline'])}",
    "(sim_returns, target_data=None)": "def f(r, target_data=None): return {'loss': 3 * (target_data == {'k': 1})}",
    "(sim_returns, target_data)": "def f(sim_returns, target_data): return {'loss': 3}",
    "(*args)": "def f(*args): return {'loss': len(args) + 1}",
    "numpy-like scalar": "class N:\n    def __float__(self): return 3.0\ndef f(r): return {'loss': N()}",
    "object with a loss": "class R:\n    loss = 3\ndef f(r): return R()",
    "Calabaria, no parameters": (
        "class T:\n    model_output = 'x'\n    def evaluate(self, rows):\n"
        "        assert rows == [{'x': 'abc'}], rows\n        self.loss = 3\n        return self\ndef f(): return T()"
    ),
    "Calabaria, data_paths": (
        "class T:\n    model_output = 'x'\n    loss = 3\n    def evaluate(self, rows): return self\n"
        "def f(data_paths=None): return T()"
    ),
    "Calabaria, an instance": (
        "class T:\n    model_output = 'x'\n    loss = 3\n    def evaluate(self, rows): return self\nf = T()"
    ),
    "Calabaria, log-likelihoods": (
        "import math\nclass T:\n    model_output = 'x'\n    loglik_per_rep = [-3.0, -3.0]\n"
        "    def evaluate(self, rows): return self\ndef f(): return T()"
    ),
}


@pytest.mark.parametrize("source", STYLES.values(), ids=STYLES)
def test_each_style_of_target_gives_its_loss(tmp_path: Path, cache: Path, source: str) -> None:
    """Today's runners each take other styles; here the signature decides."""
    extra = b'{"a": 1}'
    data = b"ARROW1abc" if "evaluate" in source else b"abc"
    returns = [replicate(x=data, metadata=extra)]
    result = aggregate(target(tmp_path, source), cache, "targets:f", returns, target_data={"k": 1})
    assert result.document == {"loss": 3.0, "diagnostics": {}, "n_replicates": 1}


WRONG = {
    "NaN": ("def f(r): return {'loss': float('nan')}", "E_WIRE_RESULT", "loss must be finite"),
    "infinity": ("def f(r): return {'loss': float('inf')}", "E_WIRE_RESULT", "loss must be finite"),
    "text": ("def f(r): return {'loss': '1'}", "E_WIRE_RESULT", "loss must be finite"),
    "bool": ("def f(r): return {'loss': True}", "E_WIRE_RESULT", "loss must be finite"),
    "complex": ("def f(r): return {'loss': 1j}", "E_WIRE_RESULT", "loss must be finite"),
    "None": ("def f(r): return {'loss': None}", "E_WIRE_RESULT", "loss must be finite"),
    "missing": ("def f(r): return {}", "E_WIRE_RESULT", "no loss"),
    "returns None": ("def f(r): return None", "E_WIRE_RESULT", "NoneType"),
    "diagnostics that are no JSON": ("def f(r): return {'loss': 1, 'diagnostics': {'a': {1}}}", "E_WIRE_RESULT", "set"),
    "diagnostics that are a list": ("def f(r): return {'loss': 1, 'diagnostics': [1]}", "E_WIRE_RESULT", "list"),
    "diagnostics with NaN": (
        "def f(r): return {'loss': 1, 'diagnostics': {'a': float('nan')}}",
        "E_WIRE_RESULT",
        "diagnostics",
    ),
    "keyword-only": ("def f(*, sim_returns): return {'loss': 1}", "E_ENTRYPOINT", "sim_returns"),
    "three required": ("def f(a, b, c): return {'loss': 1}", "E_ENTRYPOINT", "(a, b, c)"),
    "not callable": ("f = 3", "E_ENTRYPOINT", "int"),
    "missing function": ("g = 3", "E_ENTRYPOINT", "'f'"),
    "raises": ("def f(r): raise KeyError('x')", "E_WIRE_RAISED", "x"),
    "import fails": ("import no_such_module", "E_WIRE_RAISED", "no_such_module"),
    "Calabaria, other output": (
        "class T:\n    model_output = 'y'\n    def evaluate(self, rows): return self\ndef f(): return T()",
        "E_WIRE_RESULT",
        "'y'",
    ),
    "Calabaria, no evaluator": ("def f(): return 3", "E_WIRE_RESULT", "evaluate()"),
}


@pytest.mark.parametrize(("source", "error_code", "says"), WRONG.values(), ids=WRONG)
def test_a_target_that_gives_no_finite_loss_fails(
    tmp_path: Path, cache: Path, source: str, error_code: str, says: str
) -> None:
    """A NaN that passes for a loss ruins a calibration in silence."""
    result = aggregate(target(tmp_path, textwrap.dedent(source)), cache, "targets:f", [replicate(x=b"ARROW1abc")])
    assert result.error["error_code"] == error_code
    assert says in str(result.error["message"])


def test_a_replicate_that_cannot_be_read_fails_by_its_number(tmp_path: Path, cache: Path) -> None:
    """Dropping it in silence changes the loss."""
    source = (
        "class T:\n    model_output = 'x'\n    loss = 1\n    def evaluate(self, rows): return self\ndef f(): return T()"
    )
    result = aggregate(target(tmp_path, source), cache, "targets:f", [replicate(x=b"ARROW1"), replicate(x=b"PAR1")])
    assert result.error["error_code"] == "E_WIRE_RESULT"
    assert "replicate 1" in str(result.error["message"])


@pytest.mark.parametrize("reference", ["targets:f", "targets/f", "targets.f/f", "targets.f/anything"])
def test_both_separators_find_a_target(tmp_path: Path, cache: Path, reference: str) -> None:
    """The slash form is how today's tasks reach a function of a root module."""
    assert aggregate(target(tmp_path, "def f(r): return {'loss': 1}\n"), cache, reference).document["loss"] == 1


@pytest.mark.parametrize("reference", ["nowhere:f", "targets.sub:f", "nowhere.f/f", "f", ":f", "targets:"])
def test_a_target_that_is_not_there_is_an_entry_point_error(tmp_path: Path, cache: Path, reference: str) -> None:
    """Told apart from a target whose own imports fail."""
    result = aggregate(target(tmp_path, "def f(r): return {'loss': 1}\n"), cache, reference)
    assert result.error["error_code"] == "E_ENTRYPOINT"


def test_five_megabytes_of_inline_data_arrive(tmp_path: Path, cache: Path) -> None:
    """A payload in argv ends at 128 KiB."""
    source = """
        import hashlib
        def f(sim_returns):
            data = sim_returns[1]["outputs"]["x"]["inline"]
            return {"loss": 1, "diagnostics": {"h": hashlib.sha256(data).hexdigest()}}
    """
    data = bytes(range(256)) * 20_000
    document = aggregate(target(tmp_path, source), cache, "targets:f", [replicate(x=b"a"), replicate(x=data)]).document
    assert document["diagnostics"] == {"h": hashlib.sha256(data).hexdigest()}
    assert document["n_replicates"] == 2


def test_inline_data_that_differs_from_its_checksum_is_a_bad_task(tmp_path: Path, cache: Path) -> None:
    """Bytes that changed on the way must not become a loss."""
    returns = [replicate(x=b"abc"), replicate(x=b"abc")]
    returns[1]["outputs"]["x"]["inline"] = "eHl6"
    result = aggregate(target(tmp_path, "def f(r): return {'loss': 1}\n"), cache, "targets:f", returns)
    assert result.error["error_code"] == "E_TASK"
    assert "sim_returns[1]" in str(result.error["message"])
