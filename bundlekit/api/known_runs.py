"""Dynamic stages that a bundle has passed: the same files, under the same versions of all else, are not run again.

What is known hangs on the bundle's digest, so it holds for a clone, an unpacked archive and `pack` alike. Only what
passed is kept: what failed may have failed for a reason that is gone. A requirement without a lock may resolve to
another version next week, so nothing is known for longer than that.
"""

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from bundlekit.api.bundle_digests import listed
from bundlekit.api.inputs import BundleDirectory
from bundlekit.api.known_reports import judge
from bundlekit.api.known_store import hex_digest, kept_file, read_kept, write_kept
from bundlekit.model.digest import Digest
from bundlekit.model.finding import Level, StageStatus
from bundlekit.model.kept_report import kept_outcome, restored_outcome
from bundlekit.model.project import Project
from bundlekit.model.stages import StagesOutcome
from bundlekit.probe.gather import Progress
from bundlekit.probe.stages import StageOptions, run_stages
from bundlekit.read.tree_state import file_state

__all__ = ["MAX_AGE_S", "KnownRun", "run_or_recall"]

MAX_AGE_S = 7 * 24 * 3600

_VARIABLES = ("PATH", "LANG", "TZ", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "VENVS_DIR", "REUSE")
_PREFIXES = ("UV_", "PIP_", "MODELOPS_", "BUNDLEKIT_")


def run_or_recall(
    read: tuple[BundleDirectory, Project],
    options: StageOptions,
    job_spec: Path | None,
    progress: Progress,
    *,
    may_recall: bool,
) -> StagesOutcome:
    """Return what the stages up to smoke give, or are known to give for a bundle of this digest.

    Raises:
        BundlekitError: as :func:`bundlekit.probe.stages.run_stages`.
    """
    bundle, project = read
    progress("hashing the files that ship")
    files, digest = listed(bundle.root, project)
    if digest is None or not may_recall:
        return run_stages(bundle.root, project, options, progress, (files, digest))
    known = _known_run(digest, project, options, job_spec)
    outcome = known.recall()
    if outcome is None:
        outcome = run_stages(bundle.root, project, options, progress, (files, digest))
        known.keep(outcome)
    return outcome


class KnownRun(NamedTuple):
    """The place in the store for what running a bundle gives."""

    file: Path
    state: str

    @classmethod
    def of(
        cls, digest: Digest, asked: tuple[str, ...], files: tuple[Path, ...], pass_env: tuple[str, ...]
    ) -> "KnownRun":
        """Return the place for the bundle of this digest.

        `asked` are the options that matter, `files` what counts and does not ship (a job specification, an
        interpreter), `pass_env` the names of variables that its tasks get.
        """
        states = [(file_state(file) or ("none", 0))[0] for file in files]
        question = "\0".join([digest, *asked, *map(str, files)])
        state = "\0".join([question, *states, *_variables(os.environ, pass_env), judge()])
        return cls(kept_file(f"{hex_digest(question)}.run"), hex_digest(state))

    def recall(self) -> StagesOutcome | None:
        """Return what was kept for exactly this state not long ago; its last stage says since when it is known."""
        body = read_kept(self.file, self.state)
        if body is None:
            return None
        try:
            outcome, since_s = restored_outcome(body), self.file.stat().st_mtime
        except (ValueError, TypeError, KeyError, OSError):
            return None
        if not outcome.stages or not 0 <= time.time() - since_s < MAX_AGE_S:
            return None
        since = time.strftime("known since %Y-%m-%d %H:%M", time.localtime(since_s))
        *before, last = (each._replace(seconds=0.0) for each in outcome.stages)
        return outcome._replace(
            stages=(*before, last._replace(detail=f"{last.detail}, {since}" if last.detail else since))
        )

    def keep(self, outcome: StagesOutcome) -> None:
        """Keep what passed; anything else is asked again each time."""
        passed = all(stage.status is StageStatus.PASSED for stage in outcome.stages)
        if passed and outcome.stages and outcome.obstacle is None and outcome.digest is not None:
            write_kept(self.file, self.state, kept_outcome(outcome))


def _known_run(digest: Digest, project: Project, options: StageOptions, job_spec: Path | None) -> KnownRun:
    # A set has no order, and its text another one in each process.
    judged_by = f"{options.policy._replace(known=frozenset())} {sorted(options.policy.known)}"
    # What comes before the isolation experiment is the same as without it.
    level = Level.SMOKE if options.level is Level.ISOLATION else options.level
    asked = (level, options.sandbox, str(options.python), judged_by)
    interpreter = project.settings.python and Path(project.root, project.settings.python)
    files = tuple(Path(file) for file in (job_spec, options.python, interpreter) if file)
    return KnownRun.of(digest, asked, files, project.settings.pass_env)


def _variables(environment: Mapping[str, str], pass_env: tuple[str, ...]) -> Iterator[str]:
    for name in sorted(environment):
        if name in _VARIABLES or name in pass_env or name.startswith(_PREFIXES):
            yield f"{name}={environment[name]}"
