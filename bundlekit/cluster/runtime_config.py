"""The configuration of a worker, read from its own environment variables (DESIGN decision 11).

No such object crosses from client to worker: one that was made elsewhere told workers what another machine had set.
See: CONTRACT section 8.
"""

import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, PrivateAttr, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bundlekit.cluster.configuration_notes import conflicts, notes
from bundlekit.cluster.variables import Stated, Variable, clashes, count, directory, is_on, one_of, stated, switch
from bundlekit.errors import RuntimeConfigError
from bundlekit.executors.exec_env import DEFAULT_TIMEOUT_S

__all__ = ["BundleSource", "Executor", "LogLevel", "RuntimeConfig", "variable_of", "variables"]


_LOG = logging.getLogger(__name__)


class Executor(StrEnum):
    """How a worker runs tasks; ``auto`` is isolated_warm, and cold for bundles that ask for a fresh process."""

    ISOLATED_WARM = "isolated_warm"
    COLD = "cold"
    DIRECT = "direct"
    AUTO = "auto"


class BundleSource(StrEnum):
    """Where a worker gets bundles from: a registry, or a directory of them."""

    OCI = "oci"
    FILE = "file"


class LogLevel(StrEnum):
    """What a worker logs at least."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


Switch = Annotated[bool, BeforeValidator(switch)]
Count = Annotated[int, BeforeValidator(count)]
Directory = Annotated[Path, BeforeValidator(directory)]


def _level(value: object) -> LogLevel:
    return one_of(LogLevel, str(value).upper())


def _below_tmp(name: str) -> Path:
    return Path(tempfile.gettempdir(), "modelops", name)


class _OwnVariables(PydanticBaseSettingsSource):
    """This process's environment variables, as texts by the names of the settings."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[str | None, str, bool]:
        """Return the variable's text, the setting's name, and that the text is no JSON."""
        found = stated(variable_of(field), os.environ)
        return (found.text if found else None), field_name, False

    def __call__(self) -> dict[str, object]:
        """Return the texts of all that are set."""
        return {name: found.text for name, found in _all_stated(os.environ).items()}


class RuntimeConfig(BaseSettings):
    """What a worker is told by its environment; the description of each setting says what it is for.

    `origins` has the variable of each setting that is no default, `notes` what people should hear about the variables.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    executor_type: Annotated[
        Executor,
        BeforeValidator(partial(one_of, Executor)),
        Variable(("MODELOPS_EXECUTOR_TYPE", "MODELOPS_EXECUTOR")),
    ] = Field(default=Executor.ISOLATED_WARM, description="how tasks are run: isolated_warm, cold, direct or auto")
    cold_debug: Annotated[Switch, Variable(("MODELOPS_COLD_DEBUG",))] = Field(
        default=False, description="the same as MODELOPS_EXECUTOR_TYPE=cold"
    )
    enable_legacy_cold: Annotated[Switch, Variable(("MODELOPS_ENABLE_LEGACY_COLD",))] = Field(
        default=False, description="asks for a runner that does not exist here: warned about"
    )
    force_fresh_venv: Annotated[Switch, Variable(("MODELOPS_FORCE_FRESH_VENV",))] = Field(
        default=False, description="a fresh environment for each process, none from the cache"
    )
    max_warm_processes: Annotated[Count, Variable(("MODELOPS_MAX_WARM_PROCESSES",))] = Field(
        default=128, description="isolated_warm: processes at once, at most"
    )
    max_process_reuse: Annotated[Count, Variable(("MODELOPS_MAX_PROCESS_REUSE",))] = Field(
        default=1000, description="isolated_warm: tasks that a process runs before it retires"
    )
    process_ttl_s: Annotated[Count, Variable(("MODELOPS_PROCESS_TTL",))] = Field(
        default=3600, description="isolated_warm: seconds that a process lives before it retires"
    )
    rpc_timeout_s: Annotated[Count, Variable(("MODELOPS_RPC_TIMEOUT_SECONDS",))] = Field(
        default=1800, description="deadline of a task in seconds; 3600 for cold if it is not set"
    )
    mem_limit_bytes: Annotated[Count | None, Variable(("MODELOPS_MEM_LIMIT_BYTES",))] = Field(
        default=None, description="memory that a task's process may have"
    )
    venvs_dir: Annotated[Directory | None, Variable(("MODELOPS_VENVS_DIR", "VENVS_DIR"))] = Field(
        default=None, description="where environments and built bundles are kept"
    )
    bundle_source: Annotated[
        BundleSource, BeforeValidator(partial(one_of, BundleSource)), Variable(("MODELOPS_BUNDLE_SOURCE",))
    ] = Field(default=BundleSource.OCI, description="where bundles come from: oci (a registry) or file (a directory)")
    bundles_dir: Annotated[Directory | None, Variable(("MODELOPS_BUNDLES_DIR",))] = Field(
        default=None, description="the directory of bundles, for MODELOPS_BUNDLE_SOURCE=file"
    )
    bundle_registry: Annotated[str | None, Variable(("MODELOPS_BUNDLE_REGISTRY",))] = Field(
        default=None, description="the registry, for MODELOPS_BUNDLE_SOURCE=oci"
    )
    bundle_insecure: Annotated[Switch, Variable(("MODELOPS_BUNDLE_INSECURE",))] = Field(
        default=False, description="speak to the registry without TLS"
    )
    bundles_cache_dir: Annotated[Directory, Variable(("MODELOPS_BUNDLES_CACHE_DIR",))] = Field(
        default_factory=partial(_below_tmp, "bundles"), description="where bundles that were fetched are kept"
    )
    log_level: Annotated[LogLevel, BeforeValidator(_level), Variable(("MODELOPS_LOG_LEVEL",))] = Field(
        default=LogLevel.INFO, description="what the worker logs at least"
    )
    storage_dir: Annotated[Directory, Variable(("MODELOPS_STORAGE_DIR",))] = Field(
        default_factory=partial(_below_tmp, "provenance"), description="where outputs above 512 KiB are kept"
    )
    provenance_dir: Annotated[Directory | None, Variable(("MODELOPS_PROVENANCE_DIR",), has_effect=False)] = Field(
        default=None, description="where results are kept, for tools that read this name"
    )
    disable_provenance: Annotated[Switch, Variable(("MODELOPS_DISABLE_PROVENANCE",), has_effect=False)] = Field(
        default=False, description="keep no results"
    )
    inline_artifact_max_bytes: Annotated[Count, Variable(("MODELOPS_INLINE_ARTIFACT_MAX_BYTES",), has_effect=False)] = (
        Field(default=64_000, description="outputs up to this travel with their result")
    )
    validate_deps: Annotated[Switch, Variable(("MODELOPS_VALIDATE_DEPS",), has_effect=False)] = Field(
        default=True, description="verify dependencies after they are installed; here that cannot be turned off"
    )
    upload_to_azure: Annotated[Switch, Variable(("MODELOPS_UPLOAD_TO_AZURE",), has_effect=False)] = Field(
        default=False, description="upload results"
    )
    azure_storage_account: Annotated[str | None, Variable(("MODELOPS_AZURE_STORAGE_ACCOUNT",), has_effect=False)] = (
        Field(default=None, description="the account that results are uploaded to")
    )
    azure_container: Annotated[str, Variable(("MODELOPS_AZURE_CONTAINER",), has_effect=False)] = Field(
        default="results", description="the container that results are uploaded to"
    )
    azure_storage_connection_string: Annotated[
        SecretStr | None, Variable(("AZURE_STORAGE_CONNECTION_STRING",), has_effect=False)
    ] = Field(default=None, description="the key of that account")
    github_token: Annotated[SecretStr | None, Variable(("GITHUB_TOKEN",), has_effect=False)] = Field(
        default=None, description="the token of private dependencies; git and uv have settings for that"
    )
    reuse: Annotated[Switch, Variable(("REUSE",), has_effect=False)] = Field(
        default=False, description="the standalone runner keeps environments; workers always do"
    )
    preserve_tmp: Annotated[Switch, Variable(("PRESERVE_TMP",), has_effect=False)] = Field(
        default=False, description="the standalone runner keeps what it would throw away"
    )

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)
    _notes: tuple[str, ...] = PrivateAttr(())

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic-settings'
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return what is read: arguments and the process's own variables; never a file that happens to lie there."""
        return init_settings, _OwnVariables(settings_cls)

    @classmethod
    def from_env(cls, tell: Callable[[str], None] = _LOG.warning) -> Self:
        """Return the configuration that this process's environment variables state; `tell` hears the notes.

        Raises:
            RuntimeConfigError: values that cannot be read, and values that contradict each other: all of them.
        """
        problems = [problem for variable in variables().values() for problem in clashes(variable, os.environ)]
        found = _all_stated(os.environ)
        problems += conflicts(found)
        try:
            config = cls()
        except ValidationError as error:
            raise _refusal([*_field_problems(error, found), *problems]) from None
        if problems:
            raise _refusal(problems)
        config._origins.update({name: each.name for name, each in found.items()})
        config._notes = tuple(notes(variables(), os.environ))
        for note in config._notes:
            tell(note)
        return config

    @property
    def task_timeout_s(self) -> float:
        """The deadline of one task: unless it is set, cold gives an hour, as its deployment guide says."""
        is_default = "rpc_timeout_s" not in self._origins
        return DEFAULT_TIMEOUT_S if is_default and self.executor_type is Executor.COLD else float(self.rpc_timeout_s)

    @property
    def origins(self) -> Mapping[str, str]:
        """The variable that each setting was read from, by the setting's name; defaults are not in it."""
        return dict(self._origins)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said about the variables, though none of it is wrong."""
        return self._notes


def variables() -> dict[str, Variable]:
    """Return the variables of each setting, by its name."""
    return {name: variable_of(field) for name, field in RuntimeConfig.model_fields.items()}


def variable_of(field: FieldInfo) -> Variable:
    """Return the variables that the setting `field` is read from."""
    return next(each for each in field.metadata if isinstance(each, Variable))


def _all_stated(environ: Mapping[str, str]) -> dict[str, Stated]:
    every = {name: stated(variable, environ) for name, variable in variables().items()}
    found = {name: each for name, each in every.items() if each is not None}
    debug = found.get("cold_debug")
    if debug is not None and "executor_type" not in found and is_on(debug):
        found["executor_type"] = Stated(debug.name, Executor.COLD.value)
    return found


def _refusal(problems: list[str]) -> RuntimeConfigError:
    many = f"{len(problems)} problems" if len(problems) > 1 else "a problem"
    told = "".join(f"\n  {problem}" for problem in problems)
    return RuntimeConfigError(
        f"{many} in the environment variables of this process:{told}",
        subject=tuple(problems),
        hint="`bundlekit doctor` shows every variable that is read, and where each value comes from",
    )


def _field_problems(error: ValidationError, found: Mapping[str, Stated]) -> Iterator[str]:
    for each in error.errors(include_url=False, include_input=False):
        name = str(each["loc"][0])
        yield f"{found[name].name}: {each['msg'].removeprefix('Value error, ')}"
