"""Annotations and the step's summary: what GitHub shows, and nothing that it would obey."""

from pathlib import Path

import pytest
from builders.reports import HOSTILE, finding, report

from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.errors import FileAccessError
from bundlekit.model.finding import Finding, Obstacle, Report, Severity
from bundlekit.report.outputs import Format, render
from bundlekit.report.step_summary import MAX_SUMMARY_BYTES, append_step_summary, step_summary
from bundlekit.report.surroundings import Surroundings

_AROUND = Surroundings("/srv", "/srv", has_summary=True)
_OBSTACLE = Obstacle(ErrorCode.IO, "disk full", "free some")


def _lines(*reports: Report, around: Surroundings = _AROUND) -> list[str]:
    return render(reports, Format.GITHUB, around=around).splitlines()


def _many(count: int, severity: Severity = Severity.ERROR) -> list[Finding]:
    return [finding(severity=severity, line=number) for number in range(1, count + 1)]


def test_a_bundle_is_a_group_with_its_verdict_and_errors_come_first() -> None:
    """A percent or a line end in a message would end the command, a comma its property."""
    error = Finding("BK301", Severity.ERROR, "100% of\nit, or: none", "a,b:c.py", 3)
    assert _lines(report(finding(severity=Severity.INFO), error)) == [
        "::group::models/coin: failed: coin 1.0, 1 error, 1 note, static passed 0.2 s (3 files)",
        "::error title=BK301 coin,file=models/coin/a%2Cb%3Ac.py,line=3::100%25 of%0Ait, or: none",
        "::notice title=BK307 coin,file=models/coin/coin/wire.py,line=7,col=5::no%0Amend it",
        "::endgroup::",
    ]


def test_a_command_below_the_root_annotates_files_from_the_root() -> None:
    """GitHub shows an annotation on no line if its path starts anywhere else."""
    lines = _lines(report(finding(), path="coin"), around=Surroundings("/srv/models", "/srv"))
    assert "file=models/coin/coin/wire.py" in lines[1]


def test_a_finding_about_the_whole_bundle_names_no_file() -> None:
    """GitHub cannot annotate a directory."""
    assert _lines(report(Finding("BK101", Severity.ERROR, "none")))[1] == "::error title=BK101 coin::none"


@pytest.mark.parametrize(("count", "annotated", "rest"), [(10, 10, 0), (11, 10, 1), (400, 10, 390)])
@pytest.mark.parametrize("severity", [Severity.ERROR, Severity.WARNING])
def test_ten_of_a_kind_are_annotated_and_one_notice_tells_of_the_rest(
    severity: Severity, count: int, annotated: int, rest: int
) -> None:
    """GitHub drops the eleventh without a word, so that a reader believes that ten were all."""
    lines = _lines(report(*_many(count, severity)))
    assert sum(line.startswith(f"::{severity.value} ") for line in lines) == annotated
    assert sum(line.startswith("- models/coin/coin/wire.py:") for line in lines) == rest
    notices = [line for line in lines if line.startswith("::notice")]
    assert len(notices) == (rest > 0)
    assert all("see the summary of this step" in notice for notice in notices)


def test_the_notice_is_one_of_the_ten_notices() -> None:
    """Were it the eleventh, GitHub would drop the one line that tells that something was dropped."""
    lines = _lines(report(*_many(10, Severity.INFO), *_many(11)))
    notices = [line for line in lines if line.startswith("::notice")]
    assert len(notices) == 10
    assert notices[-1].startswith("::notice title=bundlekit::2 more findings are not annotated")


def test_the_limit_counts_all_bundles_and_an_obstacle_comes_first() -> None:
    """The limit is one of the step; a verdict that could not be had must show whatever else was found."""
    lines = _lines(report(*_many(12)), report(obstacle=_OBSTACLE, path="models/other", name=None))
    assert sum(line.startswith("::error ") for line in lines) == 10
    assert "::error title=E_IO::disk full%0Afree some" in lines


def test_without_a_summary_the_notice_points_at_the_log() -> None:
    """Other services understand the commands and have no summaries."""
    assert _lines(report(*_many(11)), around=Surroundings())[-1].endswith("see the log of this step")


def test_text_of_a_bundle_is_no_command() -> None:
    """The runner obeys what a line begins with, and its older form of commands anywhere in a line."""
    lines = _lines(report(*_many(10), finding(text=HOSTILE)._replace(path=HOSTILE), path="::stop-commands::x"))
    assert not any("\x1b" in line or "##[" in line for line in lines)
    assert all(
        line.startswith(("::group::", "::error title=", "- ", "::endgroup::", "::notice title=")) for line in lines
    )


def test_the_summary_has_every_finding_by_bundle_and_severity() -> None:
    """It is what a reviewer reads when ten annotations are not enough."""
    found = report(finding(severity=Severity.WARNING), finding("BK405", line=100))
    assert step_summary([found, report(path="models/other", obstacle=_OBSTACLE)], _AROUND) == (
        "## bundlekit: 2 of 2 failed\n\n"
        "### models/coin\n\n"
        "failed: coin 1.0, 1 error, 1 warning, static passed 0.2 s (3 files)\n\n"
        "| severity | rule | place | finding |\n|---|---|---|---|\n"
        "| error | BK405 | <code>models/coin/coin/wire.py:100:5</code> | no<br>hint: mend it |\n"
        "| warning | BK307 | <code>models/coin/coin/wire.py:7:5</code> | no<br>hint: mend it |\n\n"
        "### models/other\n\n"
        "no verdict (E&#95;IO): coin 1.0, 0 errors, static passed 0.2 s (3 files)\n\n"
        "**E_IO** disk full<br>hint: free some\n\n\n"
    )


def test_the_summary_of_no_bundle_says_so() -> None:
    """An empty page would leave the reader to guess."""
    assert step_summary([], _AROUND) == "## bundlekit: no bundle found\n\n"
    assert step_summary([report()], _AROUND).startswith("## bundlekit: 1 passed\n")


def test_hostile_text_makes_no_markup() -> None:
    """A message must not end its cell, open a tag, or forge a row."""
    hostile = finding(text=HOSTILE)._replace(path="a|`<b>`.py", hint="![x](http://y)")
    table = step_summary([report(hostile)], _AROUND).splitlines()
    [row] = [line for line in table if line.startswith("| error")]
    assert row.count("|") == 5
    for markup in ("<b>", "`", "![", "](", "\x1b"):
        assert markup not in row
    assert "&#60;b&#62;" in row


def test_the_summary_keeps_within_its_limit_and_counts_what_is_left_out() -> None:
    """GitHub throws a summary above 1 MiB away as a whole."""
    found = [report(*_many(5000), finding(text="ü" * 9000), *_many(5000), path=f"models/{name}") for name in "ab"]
    text = step_summary(found, _AROUND)
    assert len(text.encode()) <= MAX_SUMMARY_BYTES
    shown = text.count("| error |")
    assert f"\n{20_002 - shown:,} of 20,002 findings are left out" in text
    assert "ü" * 2000 + "..." in text
    assert "ü" * 2001 not in text


def test_the_summary_is_appended_and_counts_what_was_there(tmp_path: Path) -> None:
    """Earlier commands of the step have their own text in the same file."""
    file = tmp_path / "summary.md"
    file.write_text("x" * (MAX_SUMMARY_BYTES - 2000), encoding="utf-8")
    append_step_summary(file, [report(*_many(100))], _AROUND)
    text = file.read_text(encoding="utf-8")
    assert text.startswith("xxx")
    assert len(text.encode()) <= MAX_SUMMARY_BYTES
    assert "of 100 findings are left out" in text
    file.write_text("x" * MAX_SUMMARY_BYTES, encoding="utf-8")
    append_step_summary(file, [report()], _AROUND)
    assert file.stat().st_size == MAX_SUMMARY_BYTES


def test_a_summary_that_cannot_be_written_says_where(tmp_path: Path) -> None:
    """One sentence with the path, no traceback."""
    with pytest.raises(FileAccessError, match=r"cannot write the step's summary to .*: No such file"):
        append_step_summary(tmp_path / "nowhere" / "s.md", [], _AROUND)
