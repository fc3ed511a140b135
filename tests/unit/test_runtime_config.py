"""What a worker makes of its environment variables: the seeds' cluster ran the wrong executor because nobody asked."""

import logging
import os
import pickle

import pytest

from bundlekit.cluster.runtime_config import BundleSource, Executor, RuntimeConfig, variables
from bundlekit.errors import RuntimeConfigError


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every variable that workers read out of the environment."""
    known = {name for variable in variables().values() for name in variable.names}
    for name in [*os.environ]:
        if name in known or name.startswith("MODELOPS_"):
            monkeypatch.delenv(name)


def _config(monkeypatch: pytest.MonkeyPatch, **environ: str) -> RuntimeConfig:
    for name, text in environ.items():
        monkeypatch.setenv(name, text)
    return RuntimeConfig.from_env()


def _problems(monkeypatch: pytest.MonkeyPatch, **environ: str) -> tuple[str, ...]:
    with pytest.raises(RuntimeConfigError) as caught:
        _config(monkeypatch, **environ)
    assert isinstance(caught.value.subject, tuple)
    return caught.value.subject


def test_nothing_set_is_isolated_warm() -> None:
    """Warm is the production default of the seeds."""
    config = RuntimeConfig.from_env()
    assert (config.executor_type, config.force_fresh_venv, config.max_process_reuse) == ("isolated_warm", False, 1000)
    assert (config.rpc_timeout_s, config.max_warm_processes, config.process_ttl_s) == (1800, 128, 3600)
    assert config.bundle_source is BundleSource.OCI
    assert (config.origins, config.notes) == ({}, ())


@pytest.mark.parametrize("name", ["MODELOPS_EXECUTOR_TYPE", "MODELOPS_EXECUTOR"])
@pytest.mark.parametrize("executor", list(Executor))
def test_both_names_of_the_executor_are_read(monkeypatch: pytest.MonkeyPatch, name: str, executor: Executor) -> None:
    """The seeds' fix gave the variable a shorter synonym."""
    config = _config(monkeypatch, **{name: executor.value})
    assert config.executor_type is executor
    assert config.origins == {"executor_type": name}


def test_cold_debug_is_cold(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeds' plan switches cold on by this flag, which today's workers never read."""
    config = _config(monkeypatch, MODELOPS_COLD_DEBUG="1")
    assert config.executor_type is Executor.COLD
    assert config.origins["executor_type"] == "MODELOPS_COLD_DEBUG"


AGREEING = {
    "synonyms": {"MODELOPS_EXECUTOR_TYPE": "cold", "MODELOPS_EXECUTOR": "cold"},
    "debug": {"MODELOPS_EXECUTOR_TYPE": "cold", "MODELOPS_COLD_DEBUG": "true"},
    "debug-off": {"MODELOPS_EXECUTOR_TYPE": "cold", "MODELOPS_COLD_DEBUG": "0"},
    "one-empty": {"MODELOPS_EXECUTOR_TYPE": "cold", "MODELOPS_EXECUTOR": ""},
    "caches": {"MODELOPS_EXECUTOR_TYPE": "cold", "MODELOPS_VENVS_DIR": "/v", "VENVS_DIR": "/v"},
    "fresh": {"MODELOPS_EXECUTOR_TYPE": "cold", "MODELOPS_FORCE_FRESH_VENV": "true"},
}


@pytest.mark.parametrize("environ", AGREEING.values(), ids=AGREEING)
def test_settings_that_agree_are_left_alone(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    """A deployment may say the same twice."""
    assert _config(monkeypatch, **environ).executor_type is Executor.COLD


CONFLICTS = {
    "synonyms": (
        {"MODELOPS_EXECUTOR_TYPE": "cold", "MODELOPS_EXECUTOR": "direct"},
        "MODELOPS_EXECUTOR_TYPE='cold' and MODELOPS_EXECUTOR='direct' contradict each other: keep one of them",
    ),
    "debug": (
        {"MODELOPS_EXECUTOR_TYPE": "isolated_warm", "MODELOPS_COLD_DEBUG": "1"},
        "MODELOPS_COLD_DEBUG='1' and MODELOPS_EXECUTOR_TYPE='isolated_warm' contradict each other: keep one of them",
    ),
    "debug-and-synonym": (
        {"MODELOPS_EXECUTOR": "auto", "MODELOPS_COLD_DEBUG": "yes"},
        "MODELOPS_COLD_DEBUG='yes' and MODELOPS_EXECUTOR='auto' contradict each other: keep one of them",
    ),
    "caches": (
        {"MODELOPS_VENVS_DIR": "/a", "VENVS_DIR": "/b"},
        "MODELOPS_VENVS_DIR='/a' and VENVS_DIR='/b' contradict each other: keep one of them",
    ),
    "fresh-direct": (
        {"MODELOPS_EXECUTOR_TYPE": "direct", "MODELOPS_FORCE_FRESH_VENV": "1"},
        (
            "MODELOPS_FORCE_FRESH_VENV='1' and MODELOPS_EXECUTOR_TYPE='direct' contradict each other: direct runs "
            "tasks in the worker's own process, which has the worker's environment; use cold, or leave the "
            "environment to the worker"
        ),
    ),
    "file-without-directory": (
        {"MODELOPS_BUNDLE_SOURCE": "file"},
        "MODELOPS_BUNDLE_SOURCE='file' needs MODELOPS_BUNDLES_DIR, the directory of the bundles, which is not set",
    ),
}


@pytest.mark.parametrize(("environ", "problem"), CONFLICTS.values(), ids=CONFLICTS)
def test_settings_that_contradict_each_other_are_refused(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], problem: str
) -> None:
    """Whichever won, somebody would be told a lie by the deployment file."""
    assert _problems(monkeypatch, **environ) == (problem,)


WRONG = {
    "executor": (
        {"MODELOPS_EXECUTOR_TYPE": "colt"},
        "MODELOPS_EXECUTOR_TYPE: expected one of isolated_warm, cold, direct, auto, found 'colt'; did you mean cold?",
    ),
    "executor-capitals": (
        {"MODELOPS_EXECUTOR": "Cold"},
        "MODELOPS_EXECUTOR: expected one of isolated_warm, cold, direct, auto, found 'Cold'; did you mean cold?",
    ),
    "executor-line-end": (
        {"MODELOPS_EXECUTOR": "cold\n"},
        "MODELOPS_EXECUTOR: expected one of isolated_warm, cold, direct, auto, found 'cold\\n'; did you mean cold?",
    ),
    "switch": (
        {"MODELOPS_FORCE_FRESH_VENV": "ja"},
        "MODELOPS_FORCE_FRESH_VENV: expected 1, true, yes, on or their opposites 0, false, no, off, found 'ja'",
    ),
    "negative": (
        {"MODELOPS_MEM_LIMIT_BYTES": "-1"},
        "MODELOPS_MEM_LIMIT_BYTES: expected a whole number above 0 in decimal digits, found '-1'",
    ),
    "zero": (
        {"MODELOPS_MAX_PROCESS_REUSE": "0"},
        "MODELOPS_MAX_PROCESS_REUSE: expected a whole number above 0 in decimal digits, found '0'",
    ),
    "decimal": (
        {"MODELOPS_RPC_TIMEOUT_SECONDS": "1.5"},
        "MODELOPS_RPC_TIMEOUT_SECONDS: expected a whole number above 0 in decimal digits, found '1.5'",
    ),
    "underscore": (
        {"MODELOPS_PROCESS_TTL": "1_000"},
        "MODELOPS_PROCESS_TTL: expected a whole number above 0 in decimal digits, found '1_000'",
    ),
    "huge": (
        {"MODELOPS_MEM_LIMIT_BYTES": "9" * 19},
        f"MODELOPS_MEM_LIMIT_BYTES: expected a whole number above 0 in decimal digits, found '{'9' * 19}'",
    ),
    "log-level": (
        {"MODELOPS_LOG_LEVEL": "verbose"},
        "MODELOPS_LOG_LEVEL: expected one of DEBUG, INFO, WARNING, ERROR, CRITICAL, found 'VERBOSE'",
    ),
    "bundle-source": (
        {"MODELOPS_BUNDLE_SOURCE": "flie"},
        "MODELOPS_BUNDLE_SOURCE: expected one of oci, file, found 'flie'; did you mean file?",
    ),
}


@pytest.mark.parametrize(("environ", "problem"), WRONG.values(), ids=WRONG)
def test_a_value_that_cannot_be_read_is_an_error_and_never_a_default(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], problem: str
) -> None:
    """Falling back to the default without a word is how the seeds' cluster leaked state for a day."""
    assert _problems(monkeypatch, **environ) == (problem,)


DEADLINES = {
    "warm": ({}, 1800),
    "cold": ({"MODELOPS_EXECUTOR_TYPE": "cold"}, 3600),
    "cold-stated": ({"MODELOPS_EXECUTOR_TYPE": "cold", "MODELOPS_RPC_TIMEOUT_SECONDS": "1800"}, 1800),
    "warm-stated": ({"MODELOPS_RPC_TIMEOUT_SECONDS": "20"}, 20),
}


@pytest.mark.parametrize(("environ", "seconds"), DEADLINES.values(), ids=DEADLINES)
def test_the_deadline_is_the_stated_one_else_that_of_the_executor(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], seconds: float
) -> None:
    """The guide gives cold an hour, and workers give warm half of one."""
    assert _config(monkeypatch, **environ).task_timeout_s == seconds


def test_every_error_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment takes minutes: three mistakes are not to take three of them."""
    problems = _problems(
        monkeypatch,
        MODELOPS_EXECUTOR_TYPE="warm",
        MODELOPS_MEM_LIMIT_BYTES="4G",
        MODELOPS_VENVS_DIR="/a",
        VENVS_DIR="/b",
        MODELOPS_BUNDLE_SOURCE="file",
    )
    assert [problem.partition(":")[0].partition("=")[0] for problem in problems] == [
        "MODELOPS_EXECUTOR_TYPE",
        "MODELOPS_MEM_LIMIT_BYTES",
        "MODELOPS_VENVS_DIR",
        "MODELOPS_BUNDLE_SOURCE",
    ]


def test_an_error_reaches_the_client_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service raises a worker's own error in another process."""
    with pytest.raises(RuntimeConfigError) as caught:
        _config(monkeypatch, MODELOPS_EXECUTOR="colt")
    received = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - we have just written it
    assert isinstance(received, RuntimeConfigError)
    assert (received.message, received.subject, received.hint) == (
        caught.value.message,
        caught.value.subject,
        caught.value.hint,
    )


@pytest.mark.parametrize("name", [name for variable in variables().values() for name in variable.names])
def test_empty_counts_as_unset(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Deployment files leave a value blank to mean that there is none."""
    config = _config(monkeypatch, **{name: ""})
    assert config.origins == {}
    assert config == RuntimeConfig.from_env()


NOTES = {
    "legacy": (
        {"MODELOPS_ENABLE_LEGACY_COLD": "1"},
        (
            "MODELOPS_ENABLE_LEGACY_COLD is set, and there is no legacy cold executor here: nothing was switched on. "
            "Use MODELOPS_EXECUTOR_TYPE=cold, which runs each task in a process of its own, and remove "
            "MODELOPS_ENABLE_LEGACY_COLD"
        ),
    ),
    "todays-switch": (
        {"MODELOPS_FORCE_FRESH_VENV": "1", "MODELOPS_EXECUTOR": "cold"},
        "MODELOPS_FORCE_FRESH_VENV='1' is yes here, and no for ModelOps' own workers: they know only 'true'",
    ),
    "fresh-warm": (
        {"MODELOPS_FORCE_FRESH_VENV": "true"},
        (
            "MODELOPS_FORCE_FRESH_VENV='true' has no effect on isolated_warm, whose processes outlive a task; "
            "cold obeys it"
        ),
    ),
    "no-effect": (
        {"MODELOPS_DISABLE_PROVENANCE": "1"},
        "MODELOPS_DISABLE_PROVENANCE is set, and this version of bundlekit's workers does nothing with it",
    ),
    "misspelt": (
        {"MODELOPS_EXECUTER_TYPE": "cold"},
        "MODELOPS_EXECUTER_TYPE is not a variable that workers read; did you mean MODELOPS_EXECUTOR_TYPE?",
    ),
    "unknown": ({"MODELOPS_XYZ": "1"}, "MODELOPS_XYZ is not a variable that workers read"),
    "unused-directory": (
        {"MODELOPS_BUNDLES_DIR": "/b"},
        "MODELOPS_BUNDLES_DIR has no effect without MODELOPS_BUNDLE_SOURCE=file",
    ),
}


@pytest.mark.parametrize(("environ", "note"), NOTES.values(), ids=NOTES)
def test_what_is_not_wrong_and_not_what_it_seems_is_said_aloud(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, environ: dict[str, str], note: str
) -> None:
    """A misspelt variable is the silent fallback in its smallest form."""
    with caplog.at_level(logging.WARNING):
        config = _config(monkeypatch, **environ)
    assert config.notes == (note,)
    assert [(each.levelname, each.message) for each in caplog.records] == [("WARNING", note)]


QUIET = {
    "todays-switch": {"MODELOPS_FORCE_FRESH_VENV": "True", "MODELOPS_COLD_DEBUG": "1"},
    "legacy-off": {"MODELOPS_ENABLE_LEGACY_COLD": "0"},
    "directory": {"MODELOPS_BUNDLE_SOURCE": "file", "MODELOPS_BUNDLES_DIR": "/b"},
    "foreign": {"MODELOPSY": "1"},
}


@pytest.mark.parametrize("environ", QUIET.values(), ids=QUIET)
def test_what_is_as_it_seems_is_not_remarked_on(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    """Warnings that mean nothing teach people to skip the one that does."""
    assert _config(monkeypatch, **environ).notes == ()


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Configurations end in logs."""
    secrets = {"GITHUB_TOKEN": "ghp_canary", "AZURE_STORAGE_CONNECTION_STRING": "AccountKey=canary"}
    config = _config(monkeypatch, **secrets)
    assert "canary" not in f"{config!r} {config} {config.notes} {config.origins}"
    assert config.github_token is not None
    assert config.github_token.get_secret_value() == "ghp_canary"
