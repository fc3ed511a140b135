import base64
import json
import random
from pathlib import Path

import pytest

from bundlekit.cold_runner.long_texts import LongText, LongTexts
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.cold_runner.strict_json import JsonValue, loads
from bundlekit.cold_runner.task import parse_aggregation

KEPT = ("sim_returns", None, "outputs", None, "inline")
LONG = base64.b64encode(bytes(range(256)) * 400).decode()


def read(text: str, tmp_path: Path, step: int) -> tuple[LongTexts, JsonValue]:
    """Return what became of a document that came in pieces of `step` bytes."""
    texts = LongTexts(lambda: str(tmp_path / "texts"))
    data = text.encode()
    for start in range(0, len(data), step):
        texts.feed(data[start : start + step])
    texts.close()
    return texts, loads(texts.document)


DOCUMENTS: dict[str, JsonValue] = {
    "short": {"a": "x", "b": [1, None]},
    "a value": {"a": LONG, "b": LONG[:-4]},
    "a key": {LONG: 1},
    "in an array": [[LONG], {"x": LONG}],
    "beside other text": {"a": "\n" + LONG, "b": LONG + '"', "c": f'x"{LONG}"inline"y'},
    "with a line break": {"a": LONG + "\n" + LONG},
    "just below the threshold": {"a": "A" * 65_535},
    "at the threshold": {"a": "A" * 65_536},
    "not where it is kept": {"target_data": {"inline": LONG}, "sim_returns": [{"x": {"inline": LONG}}]},
}


@pytest.mark.parametrize("step", [1 << 20, 65_537, 7_919])
@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_what_is_put_back_is_what_came(document: JsonValue, step: int, tmp_path: Path) -> None:
    """Whatever looks like a long text, where no data is wanted, is text like any other."""
    text = json.dumps(document)
    texts, value = read(text, tmp_path, step)
    assert texts.restored(value, KEPT) == document
    assert texts.restored(value, None) == document
    assert json.loads("".join(texts.expanded(bytes(texts.document).decode()))) == document


def replicate(inline: str, **more: JsonValue) -> dict[str, JsonValue]:
    """Return an aggregation of one replicate."""
    return {"target_entrypoint": "t:f", "sim_returns": [{"outputs": {"x": {"inline": inline, **more}}}]}


def test_large_data_stays_in_its_file_and_is_held_against_its_checksum(tmp_path: Path) -> None:
    """Neither text nor data is in memory; the child reads the one from where the other is."""
    data = random.Random(7).randbytes(5_000_001)  # noqa: S311 - not for secrets
    inline = base64.b64encode(data).decode()
    texts, value = read(json.dumps(replicate(inline, size=len(data))), tmp_path, 1 << 20)
    assert len(texts.document) < 1000
    restored = texts.restored(value, KEPT)
    task = parse_aggregation(restored, print, texts=texts.path)
    outputs = task.sim_returns[0]["outputs"]
    assert isinstance(outputs, dict)
    start, size, is_text = outputs["x"]["inline"]
    assert not is_text
    assert base64.b64decode((tmp_path / "texts").read_bytes()[start : start + size]) == data
    assert task.texts == str(tmp_path / "texts")


WRONG = {
    "size": (LONG, {"size": 1}, "expected 1 bytes in sim_returns[0].outputs['x']"),
    "checksum": (LONG, {"checksum": "00"}, "expected the checksum '00'"),
    "length": (LONG[:-1] + "A" * 4, {}, "expected base64 in sim_returns[0].outputs['x'].inline"),
    "padding within": ("A" * 70_000 + "==" + "A" * 70_000, {}, "expected base64"),
    "padding at a seam": ("A" * ((3 << 20) - 1) + "=" + "AAAA", {}, "excess data after padding"),
}


@pytest.mark.parametrize(("inline", "more", "says"), WRONG.values(), ids=WRONG)
def test_large_data_that_is_wrong_is_a_bad_task(
    inline: str, more: dict[str, JsonValue], says: str, tmp_path: Path
) -> None:
    """As small data is, by its position."""
    texts, value = read(json.dumps(replicate(inline, **more)), tmp_path, 1 << 20)
    restored = texts.restored(value, KEPT)
    with pytest.raises(RunnerError, match="cannot be used") as caught:
        parse_aggregation(restored, print, texts=texts.path)
    assert says in str(caught.value)


def test_a_long_text_knows_no_more_than_its_place(tmp_path: Path) -> None:
    """It is a str, so that a document with it is still JSON."""
    texts, value = read(json.dumps({"inline": LONG}), tmp_path, 1 << 20)
    restored = texts.restored(value, ("inline",))
    assert isinstance(restored, dict)
    text = restored["inline"]
    assert isinstance(text, LongText)
    assert b"".join(text.pieces()).decode() == LONG
