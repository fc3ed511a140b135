"""Rules of the import stage on the libraries that were built: what do they keep between calls?"""

from collections.abc import Iterator

from bundlekit.model.counted import counted
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.rule import Rule
from bundlekit.probe.evidence import Evidence
from bundlekit.probe.example_bundle import SOUND, varied
from bundlekit.probe.rule_type import EvidenceCheck

__all__ = ["LIBRARY_RULES"]

_NAMED = 6


def _kept(evidence: Evidence) -> Iterator[Finding]:
    if evidence.project.settings.requires_fresh_process:
        return
    for library in evidence.libraries:
        shown = [f"{each.name} ({counted(each.size, 'byte')})" for each in library.variables[:_NAMED]]
        rest = len(library.variables) - len(shown)
        more = [f"{rest} more"] if rest else []
        message = f"{library.path} keeps {counted(len(library.variables), 'variable')}: {', '.join(shown + more)}"
        hint = (
            "a warm executor runs many tasks in one process: see with `bundlekit isolation` whether a task changes "
            "another, or set requires-fresh-process = true in [tool.bundlekit]"
        )
        yield Finding("BK812", Severity.INFO, message, hint=hint, entity=library.path)


_COMPILED = varied(
    more={
        "setup.py": """\
from setuptools import Extension, setup

setup(ext_modules=[Extension("tiny.steps", ["tiny/steps.c"])])
""",
        "tiny/steps.c": """\
#include <Python.h>

static long calls = 0;

static PyObject *step(PyObject *self, PyObject *unused) { return PyLong_FromLong(++calls); }

static PyMethodDef methods[] = {{"step", step, METH_NOARGS, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "steps", "", -1, methods};
PyMODINIT_FUNC PyInit_steps(void) { return PyModule_Create(&definition); }
""",
    },
)

LIBRARY_RULES: tuple[Rule[EvidenceCheck], ...] = (
    Rule(
        code="BK812",
        title="A built library keeps variables from one task to the next",
        why="A library is loaded once a process: what a task leaves in it, the next one of a warm process finds.",
        severity=Severity.INFO,
        check=_kept,
        good=SOUND,
        bad=_COMPILED,
    ),
)
