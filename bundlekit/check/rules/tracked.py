"""BK140 to BK143: what the platform's own tool would push, against what ships here (CONTRACT section 5).

Both ship only files that ``tracked.txt`` lists. Here patterns leave out some of them, and `include` adds others.
"""

import posixpath
from collections.abc import Iterable, Iterator, Mapping

from bundlekit.check.evidence import Evidence
from bundlekit.check.left_out import left_out_by
from bundlekit.check.rules.catalogue import StaticRule, bundle, finding
from bundlekit.cold_runner.exclusions import REGISTRY
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.place import Place, Text
from bundlekit.model.project import NOT_TRACKED, Project
from bundlekit.model.registry import TrackedFiles

__all__ = ["TRACKED_RULES"]

_SHOWN_FILES = 8
_LIST = ".modelops-bundle/tracked.txt"


def _untracked(evidence: Evidence) -> Iterable[Finding]:
    tracked = evidence.project.tracked
    if tracked is None:
        return
    # The platform's tool adds its registry by itself.
    listed = {posixpath.normpath(text.value) for text in tracked.files} | {REGISTRY}
    if len(listed) == 1:
        message = f"{tracked.document} lists no file: `mops bundle push` would ship nothing, and here it is not obeyed"
        hint = "track the files with `mops bundle add`"
        yield finding("BK140", Severity.WARNING, message, Place(tracked.document), hint=hint)
        return
    for path, (why, place) in _needed(evidence).items():
        if path not in listed:
            message = f"{path!r:.200} is not tracked: `mops bundle push` would leave it out, but {why}"
            yield _not_tracked(path, message, place)
    for path, (why, place) in _missed(evidence).items():
        yield _not_tracked(path, f"{path!r:.200} is not tracked, so it does not ship, but {why}", place)


def _not_tracked(path: str, message: str, place: Place) -> Finding:
    hint = f"track it with `mops bundle add {path}`"
    return finding("BK140", Severity.WARNING, message, place, hint=hint, entity=path)


def _missed(evidence: Evidence) -> Mapping[str, tuple[str, Place]]:
    """Return what is left out for not being tracked, and that no rule misses by its own name: why, and where."""
    project = evidence.project
    missed: dict[str, tuple[str, Place]] = {}
    packages = {posixpath.dirname(path) for path in project.sources}
    for path in (entry.path for entry in project.excluded if entry.pattern == NOT_TRACKED):
        if posixpath.basename(path) == "__init__.py" and posixpath.dirname(path) in packages:
            missed[path] = ("modules beside it do", Place(path))
        for reference in project.references:
            if path.startswith(f"{posixpath.normpath(reference.path)}/"):
                missed.setdefault(path, (reference.why, reference.place))
    return missed


def _needed(evidence: Evidence) -> Mapping[str, tuple[str, Place]]:
    """Return the files that ship here and that something certainly needs: why, and where that is said."""
    project = evidence.project
    needed: dict[str, tuple[str, Place]] = {}
    shipped = [member.path for member in project.members]
    one_by_one = frozenset(shipped)
    if "pyproject.toml" in one_by_one:
        needed["pyproject.toml"] = ("every runner reads it", Place("pyproject.toml"))
    for place in (requirement.place for requirement in project.requirements):
        if place.path in one_by_one:
            needed.setdefault(place.path, ("it declares the dependencies", place))
    named = [*project.references, *(each.reference for each in evidence.survey.named if each.certain)]
    for reference in named:
        path = posixpath.normpath(reference.path)
        inside = "" if path == "." else f"{path}/"
        for each in [path] if path in one_by_one else [each for each in shipped if each.startswith(inside)]:
            needed.setdefault(each, (reference.why, reference.place))
    for path in evidence.followed:
        needed.setdefault(path, ("the wire, a target or a model imports it", Place(path)))
    return needed


def _absent(evidence: Evidence) -> Iterable[Finding]:
    project = evidence.project
    known = {member.path for member in project.members} | {entry.path for entry in project.refused}
    files = project.tracked.files if project.tracked else ()
    for index, text in enumerate(files):
        path = posixpath.normpath(text.value)
        if path in known or left_out_by(project, path) is not None:
            continue
        broken = _broken_name(project, [each.value for each in files[max(index - 1, 0) : index + 2]])
        what = "lies outside the bundle" if path.startswith(("../", "/")) else "does not exist"
        message = f"the tracked file {text.value!r:.200} {what}"
        hint = "the platform's tool leaves it out: remove the line with `mops bundle remove`, or add the file"
        if broken is not None:
            hint = f"the name {broken!r:.200} holds a line break, which the list cannot say: rename that file"
        yield finding("BK141", Severity.WARNING, message, text.place, hint=hint, entity=text.value)


def _broken_name(project: Project, lines: list[str]) -> str | None:
    """Return the file, one that does not ship, whose name is two neighbouring `lines`, taken apart at a line break."""
    pairs = {"\n".join(lines[at : at + 2]) for at in range(len(lines) - 1)}
    return next((path for path in _left_at_home(project) if path in pairs), None)


def _left_at_home(project: Project) -> list[str]:
    return [*(entry.path for entry in project.refused), *(entry.path for entry in project.excluded)]


def _left_out(evidence: Evidence) -> Iterable[Finding]:
    """Say once for each pattern which tracked files it leaves out here: on the platform, tracking wins."""
    project = evidence.project
    shipped = {member.path for member in project.members}
    by_pattern: dict[str, list[Text]] = {}
    for text in project.tracked.files if project.tracked else ():
        path = posixpath.normpath(text.value)
        pattern = None if path in shipped else left_out_by(project, path)
        if pattern is not None:
            by_pattern.setdefault(pattern, []).append(text)
    for pattern, texts in by_pattern.items():
        names = ", ".join(text.value for text in texts[:_SHOWN_FILES])
        more = f" and {len(texts) - _SHOWN_FILES} more" if len(texts) > _SHOWN_FILES else ""
        message = f"tracked files are left out by {pattern}: {names:.300}{more}; the platform ships them all the same"
        hint = f"include them in [tool.bundlekit], or take them out of {texts[0].place.path}"
        yield finding("BK142", Severity.WARNING, message, texts[0].place, hint=hint, entity=pattern)


def _lines(evidence: Evidence) -> Iterator[Finding]:
    tracked = evidence.project.tracked
    if tracked is None:
        return
    if tracked.document != _LIST:
        message = f"{tracked.document} is the list's name in the platform's documents; its tool reads {_LIST}"
        hint = f"rename it to {_LIST}"
        yield finding("BK143", Severity.WARNING, message, Place(tracked.document), hint=hint)
    yield from _spaced(evidence.project, tracked)


def _spaced(project: Project, tracked: TrackedFiles) -> Iterator[Finding]:
    """Yield a finding for each file whose name the list cannot hold; spaces that mean nothing are left alone."""
    known = {*(member.path for member in project.members), *_left_at_home(project)}
    for text in tracked.spaced:
        if text.value in known:
            message = (
                f"the tracked name {text.value!r:.200} loses the spaces around it when the platform's tool reads it"
            )
            hint = "rename the file"
            yield finding("BK143", Severity.WARNING, message, text.place, hint=hint, entity=text.value)


_FILES = "model/__init__.py\nmodel/wire.py\npyproject.toml\n"

TRACKED_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK140",
        "A file that is needed is not tracked",
        "Only tracked files ship, with `mops bundle push` and here; there a missing one is told in a warning.",
        Severity.WARNING,
        _untracked,
        good=bundle({_LIST: _FILES}),
        bad=bundle({_LIST: "model/wire.py\npyproject.toml\n"}),
    ),
    StaticRule(
        "BK141",
        "A tracked file does not exist",
        "The platform's tool drops it with a warning; perhaps it was renamed, and the new name is not tracked.",
        Severity.WARNING,
        _absent,
        good=bundle({_LIST: _FILES}),
        bad=bundle({_LIST: _FILES + "model/old.py\n"}),
    ),
    StaticRule(
        "BK142",
        "Tracked files are left out",
        "On the platform a tracked file ships whatever is ignored, here a pattern decides: the two bundles differ.",
        Severity.WARNING,
        _left_out,
        good=bundle({_LIST: _FILES}),
        bad=bundle({_LIST: _FILES + "notes.txt\n", "notes.txt": "", ".modelopsignore": "*.txt\n"}),
    ),
    StaticRule(
        "BK143",
        "The list of tracked files is not read as it is written",
        "The tool takes off spaces around a name, and looks for the list under one name only.",
        Severity.WARNING,
        _lines,
        good=bundle({_LIST: _FILES}),
        bad=bundle({_LIST: _FILES + " old.csv\n", " old.csv": ""}),
    ),
)
