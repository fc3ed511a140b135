"""Pushing to and pulling from a real registry, and what clients that are not ours make of it."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from builders.bundles import GOOD_PYPROJECT, GOOD_WIRE, make_bundle
from builders.clusters import bundle_home
from builders.cut_connections import cut_connections
from builders.inventory import inventory
from builders.registries import docker_registry, sha256

from bundlekit.api.archives import PackOptions, inspect, pack
from bundlekit.api.registries import Layout, PushOptions, TagPolicy, pull_bundle, push_bundle
from bundlekit.api.validation import ValidateOptions
from bundlekit.cluster.environments import make_environment, make_repository
from bundlekit.cluster.runtime_config import RuntimeConfig
from bundlekit.errors import DigestMismatchError, RegistryError, UsageError
from bundlekit.model.archive import Packed, PackRefusal
from bundlekit.model.digest import Digest
from bundlekit.model.finding import Level
from bundlekit.model.reference import parse_oci_reference
from bundlekit.model.transfer import Pushed
from bundlekit.store.bundle_store import BundleStore
from bundlekit.store.depot import Depot
from bundlekit.store.depots import RegistryOptions, open_depot
from bundlekit.store.oci_documents import Descriptor
from bundlekit.store.repositories import RegistryRepository

pytestmark = pytest.mark.process

_MODELOPS = PushOptions(layout=Layout.MODELOPS)
_FILES = {
    "data/été.csv": "1,2\n" * 9,
    "data/again.csv": "1,2\n" * 9,
    "data/empty.csv": "",
    "run.sh": "#!/bin/sh\n",
    ".modelops-bundle/registry.yaml": "version: '1.0'\nmodels: {}\ntargets: {}\n",
}


_HTPASSWD = "scientist:$2b$04$u83PKWgiqpsiOHQas1r/su8YkPJnXyFd00OjLe0wwODhi9SAsNSNq\n"
"""The password is "open sesame"."""


def _quiet(_message: str) -> None:
    return


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a registry for the tests of this module, each of which uses a repository of its own."""
    with docker_registry(tmp_path_factory.mktemp("registry")) as host:
        yield host


@pytest.fixture
def repository(registry: str, request: pytest.FixtureRequest) -> str:
    """Return a repository that no other test uses."""
    return f"oci://{registry}/models/{request.node.name.partition('[')[0].replace('test_', '').replace('_', '-')}"


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the archive of a bundle with twins, an empty file, a program and a name beyond ASCII; with a cache."""
    monkeypatch.setenv("VENVS_DIR", str(tmp_path / "cache"))
    bundle = make_bundle(tmp_path / "bundle", _FILES)
    (bundle / "run.sh").chmod(0o755)
    return _packed(bundle, tmp_path / "model.tar.zst")


def _packed(bundle: Path, archive: Path) -> Path:
    assert isinstance(pack(bundle, PackOptions(archive, validate=False), _quiet), Packed)
    return archive


def _push(bundle: Path | str, target: str, options: PushOptions = PushOptions()) -> Pushed:  # noqa: B008 - frozen
    pushed = push_bundle(str(bundle), target, options, _quiet)
    assert isinstance(pushed, Pushed)
    return pushed


@pytest.mark.parametrize("layout", list(Layout))
def test_a_bundle_comes_back_as_it_was(
    archive: Path, repository: str, layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names, modes and bytes, in both layouts, into the store, a directory and an archive; the digests were known."""
    tag = f"{repository}:{layout.value}"
    foreseen = inspect(archive)
    assert foreseen.oci_digests is not None
    pushed = _push(archive, tag, PushOptions(layout=layout))
    assert pushed.oci_digest == getattr(foreseen.oci_digests, layout.value)
    assert pushed.digest == foreseen.digest

    monkeypatch.setenv("VENVS_DIR", str(tmp_path / "another-cache"))
    stored = pull_bundle(tag, None, _quiet)
    pulled = pull_bundle(f"{repository}@{pushed.oci_digest}", tmp_path / "out", _quiet)
    again = pull_bundle(tag, tmp_path / "again.tar.zst", _quiet)
    with pytest.raises(UsageError, match="is not an empty directory"):
        pull_bundle(tag, tmp_path / "out", _quiet)
    assert {each.digest for each in (stored, pulled, again)} == {pushed.digest}
    assert _content(Path(stored.path)) == _content(tmp_path / "out") == _content(tmp_path / "bundle")
    assert (tmp_path / "again.tar.zst").read_bytes() == archive.read_bytes()


def test_only_what_is_missing_is_sent(archive: Path, repository: str, tmp_path: Path) -> None:
    """A bundle of gigabytes changes in one line of Python from one day to the next."""
    first = _push(archive, f"{repository}:1", _MODELOPS)
    assert (first.sent, first.present) == (len(first.manifest.files) + 1 - 2, 0)  # two pairs of files are equal
    (tmp_path / "bundle" / "model" / "wire.py").write_text("def wire(e, p, s):\n    return {}\n", encoding="utf-8")
    second = _push(_packed(tmp_path / "bundle", tmp_path / "second.tar.zst"), f"{repository}:2", _MODELOPS)
    assert (second.sent, second.present) == (2, first.sent - 2)
    assert _push(archive, f"{repository}:1", _MODELOPS).sent == 0


def test_a_network_that_breaks_delays_and_nothing_more(
    registry: str, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large bundle, cut off on its way there and on its way back, goes on from where it was."""
    make_bundle(tmp_path / "bundle", {"data/noise.bin": random.Random(1).randbytes(20 << 20)})  # noqa: S311 - no secret
    _packed(tmp_path / "bundle", archive)
    cuts = [10 << 20]
    with cut_connections(registry, cuts) as way:
        pushed = _push(archive, f"oci://{way}/broken/network")
        assert (cuts, pushed.sent_bytes > 20 << 20) == ([], True)
        cuts.append(10 << 20)
        monkeypatch.setenv("VENVS_DIR", str(tmp_path / "another-cache"))
        pull_bundle(f"oci://{way}/broken/network", tmp_path / "back.tar.zst", _quiet)
        assert cuts == []
    assert (tmp_path / "back.tar.zst").read_bytes() == archive.read_bytes()


def test_a_tag_of_another_bundle_is_not_overwritten(archive: Path, repository: str, tmp_path: Path) -> None:
    """Two scientists who push `latest` must hear of each other."""
    mine = _push(archive, repository)
    other = make_bundle(tmp_path / "other", {"more.py": "x = 1\n"})
    _packed(other, tmp_path / "other.tar.zst")
    with pytest.raises(DigestMismatchError, match=f"is {mine.oci_digest} already") as caught:
        _push(tmp_path / "other.tar.zst", repository)
    assert f"--expect {mine.oci_digest}" in (caught.value.hint or "")
    wrong = PushOptions(policy=TagPolicy(expected=Digest.of(b"what was there yesterday")))
    with pytest.raises(DigestMismatchError, match=f"was expected to be .* and is {mine.oci_digest}"):
        _push(tmp_path / "other.tar.zst", repository, wrong)
    assert pull_bundle(repository, None, _quiet).digest == mine.digest

    moved = _push(tmp_path / "other.tar.zst", repository, PushOptions(policy=TagPolicy(expected=mine.oci_digest)))
    assert moved.replaced == mine.oci_digest
    back = _push(archive, repository, PushOptions(policy=TagPolicy(force=True)))
    assert (back.replaced, back.sent) == (moved.oci_digest, 0)


def test_what_is_not_there_is_told(archive: Path, repository: str, registry: str) -> None:
    """A wrong tag, a wrong repository, a registry that does not run: three different mistakes of three people."""
    _push(archive, f"{repository}:1")
    with pytest.raises(UsageError, match="has no 2"):
        pull_bundle(f"{repository}:2", None, _quiet)
    with pytest.raises(UsageError, match="has no latest"):
        pull_bundle(f"oci://{registry}/nobody/nothing", None, _quiet)
    with pytest.raises(UsageError, match="is nowhere to push to"):
        _push(archive, str(archive))
    with pytest.raises(UsageError, match="is not in the store"):
        _push(Digest.of(b"nothing"), f"{repository}:1")


def test_a_stored_bundle_is_pushed_by_its_digest(archive: Path, repository: str, tmp_path: Path) -> None:
    """Whoever pulled a bundle can pass it on."""
    with BundleStore(tmp_path / "cache") as store:
        digest = store.adopt(archive).digest
    assert _push(digest, repository).digest == digest


def test_an_image_layout_is_carried_by_other_tools(archive: Path, repository: str, tmp_path: Path) -> None:
    """A cluster without a network gets its bundles on a disk."""
    if shutil.which("skopeo") is None:
        pytest.skip("skopeo is not installed")
    pushed = _push(archive, f"oci-layout:{tmp_path / 'carried'}:v1")
    target = repository.removeprefix("oci://")
    _skopeo("--dest-tls-verify=false", f"oci:{tmp_path / 'carried'}:v1", f"docker://{target}:v1")
    assert pull_bundle(f"{repository}:v1", tmp_path / "out", _quiet).oci_digest == pushed.oci_digest
    _skopeo("--src-tls-verify=false", f"docker://{target}:v1", f"oci:{tmp_path / 'back'}:v1")
    back = pull_bundle(f"oci-layout:{tmp_path / 'back'}", tmp_path / "back.tar.zst", _quiet)
    assert (back.digest, back.oci_digest) == (pushed.digest, pushed.oci_digest)
    assert (tmp_path / "back.tar.zst").read_bytes() == archive.read_bytes()


def _skopeo(option: str, source: str, target: str) -> None:
    command = ["skopeo", "--insecure-policy", "copy", option, source, target]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


_ORAS = """
import sys
import oras.client
client = oras.client.OrasClient(insecure=True)
client.pull(target=sys.argv[1], outdir=sys.argv[2])
"""


def test_an_ordinary_oras_pull_understands_both_layouts(archive: Path, repository: str, tmp_path: Path) -> None:
    """ModelOps' own workers pull with this client: the archive as one file, or each file at its path."""
    pytest.importorskip("oras")
    target = repository.removeprefix("oci://")
    _push(archive, f"{repository}:1")
    _push(archive, f"{repository}:2", _MODELOPS)
    for tag in ("1", "2"):
        command = [sys.executable, "-c", _ORAS, f"{target}:{tag}", str(tmp_path / tag)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    assert (tmp_path / "1" / "model-1.0.tar.zst").read_bytes() == archive.read_bytes()
    pulled, ours = _content(tmp_path / "2"), _content(tmp_path / "bundle")
    assert {path: data for path, (_, data) in pulled.items()} == {path: data for path, (_, data) in ours.items()}


def _content(root: Path) -> dict[str, tuple[int, bytes | str]]:
    """Return mode and bytes of each file and directory."""
    return {path: (mode, data) for path, (mode, _, _, data) in inventory(root).items()}


def test_a_registry_with_a_password_is_asked_with_the_one_that_docker_knows(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It comes from Docker's configuration or helper, and is printed nowhere."""
    with docker_registry(tmp_path / "private", htpasswd=_HTPASSWD) as host:
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
        with pytest.raises(RegistryError, match="answered 401") as caught:
            _push(archive, f"oci://{host}/m")
        assert f"docker login {host}" in (caught.value.hint or "")
        helper = tmp_path / "bin" / "docker-credential-tests"
        helper.parent.mkdir()
        answer = json.dumps({"Username": "scientist", "Secret": "open sesame"})
        helper.write_text(f"#!/bin/sh\ncat > {tmp_path}/asked\necho '{answer}'\n", encoding="utf-8")
        helper.chmod(0o755)
        monkeypatch.setenv("PATH", f"{helper.parent}{os.pathsep}{os.environ['PATH']}")
        (tmp_path / "docker").mkdir()
        (tmp_path / "docker" / "config.json").write_text(json.dumps({"credHelpers": {host: "tests"}}), encoding="utf-8")
        pushed = _push(archive, f"oci://{host}/m")
        assert pull_bundle(f"oci://{host}/m", None, _quiet).digest == pushed.digest
        assert (tmp_path / "asked").read_text(encoding="utf-8") == host
    assert "sesame" not in "".join(capfd.readouterr())


def test_workers_run_bundles_of_a_registry(registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the bundle's digest and, as ModelOps' own tasks have it, by that of the OCI manifest; offline from then on."""
    home = bundle_home(tmp_path)
    (bundle,) = home.directory.iterdir()
    archive = _packed(bundle, tmp_path / "model.tar.zst")
    pushed = _push(archive, f"oci://{registry}/workers/model:v1", _MODELOPS)
    for name, value in {
        "MODELOPS_BUNDLE_REGISTRY": f"{registry}/workers/model",
        "MODELOPS_BUNDLE_INSECURE": "true",
        "MODELOPS_BUNDLES_CACHE_DIR": str(tmp_path / "bundles-cache"),
        "MODELOPS_EXECUTOR_TYPE": "cold",
    }.items():
        monkeypatch.setenv(name, value)
    config = RuntimeConfig.from_env()
    assert config.notes == ()
    repository = make_repository(config)
    environment = make_environment(config, repository)
    try:
        task = home.task(1, x=1)
        references = (pushed.digest, pushed.oci_digest, f"{registry}/workers/model@{pushed.digest}")
        results = [environment.run(replace(task, bundle_ref=each)) for each in references]
    finally:
        environment.shutdown()
    assert [each.error for each in results] == [None] * 3
    assert len({each.outputs["answer"].checksum for each in results}) == 1
    assert repository.exists(pushed.oci_digest)
    assert not repository.exists(Digest.of(b"nothing"))
    assert not make_repository(config).exists(f"workers/other@{Digest.of(b'nothing')}")

    offline = RegistryRepository(
        BundleStore(tmp_path / "bundles-cache"), "127.0.0.1:9/workers/model", RegistryOptions()
    )
    assert offline.exists(pushed.digest)
    assert offline.ensure_local(pushed.digest)[0] == pushed.digest
    with pytest.raises(UsageError, match="names no repository"):
        RegistryRepository(BundleStore(tmp_path / "c"), registry, RegistryOptions()).ensure_local(pushed.digest)


def test_a_stored_bundle_that_was_changed_comes_from_the_registry_again(
    archive: Path, repository: str, tmp_path: Path
) -> None:
    """Found before it runs, set aside, and fetched, whatever of it was changed."""
    pushed = _push(archive, repository)
    cache = tmp_path / "worker"
    for _ in range(2):
        with BundleStore(cache) as store:
            bundles = RegistryRepository(store, repository, RegistryOptions())
            _, tree = bundles.ensure_local(pushed.digest)
            assert (tree / "model" / "wire.py").read_text(encoding="utf-8") == GOOD_WIRE
        (tree / "model" / "wire.py").write_text("EVIL = 1\n", encoding="utf-8")
        (tree.parent / "bundle.tar.zst").write_bytes(b"EVIL")
    assert len(list((cache / "damaged").iterdir())) == 1


def test_the_commands_print_one_document_and_mean_their_status(archive: Path, repository: str, tmp_path: Path) -> None:
    """Scripts read the digest of the registry from it."""
    pushed = _command("push", archive, f"{repository}:1", "--output", "json")
    assert json.loads(pushed.stdout)["oci_digest"] == str(_push(archive, f"{repository}:1").oci_digest)
    pulled = _command("pull", f"{repository}:1", "-o", tmp_path / "out", "--output", "json")
    assert json.loads(pulled.stdout)["files"] == len([path for path in (tmp_path / "out").rglob("*") if path.is_file()])
    moved = _command("push", archive, f"{repository}:1", "--layout", "modelops")
    assert (moved.returncode, moved.stdout) == (3, "")
    assert "is left as it is" in moved.stderr


def _command(*words: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "bundlekit", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_directory_is_packed_before_it_is_pushed(repository: str, tmp_path: Path) -> None:
    """And refused as `pack` refuses it."""
    bundle = make_bundle(tmp_path / "bundle", {"model/wire.py": "def wire(entrypoint, params):\n    return {}\n"})
    refused = push_bundle(str(bundle), repository, PushOptions(packing=PackOptions(validation=_STATIC)), _quiet)
    assert isinstance(refused, PackRefusal)
    make_bundle(bundle, {})
    pushed = _push(bundle, repository, PushOptions(packing=PackOptions(validate=False)))
    assert pull_bundle(repository, None, _quiet).digest == pushed.digest


def test_a_bundle_that_modelops_pushed_is_pulled(repository: str, tmp_path: Path, archive: Path) -> None:
    """Its index knows no modes and no manifest: where the files are no bundle of ours, a directory of them is."""
    with closing(open_depot(parse_oci_reference(repository), RegistryOptions())) as depot:
        for tag, files in {"ours": _FOREIGN, "not-ours": {"build/notes.txt": b"x\n"}}.items():
            _push_as_modelops(depot, tag, files)
    ours = pull_bundle(f"{repository}:ours", tmp_path / "ours", _quiet)
    stored = pull_bundle(f"{repository}:ours", None, _quiet)
    assert ours.digest == stored.digest is not None
    assert {path: data for path, (_, data) in _content(tmp_path / "ours").items() if data} == _FOREIGN
    other = pull_bundle(f"{repository}:not-ours", tmp_path / "other", _quiet)
    assert (other.digest, (tmp_path / "other" / "build" / "notes.txt").read_bytes()) == (None, b"x\n")
    with pytest.raises(UsageError, match=r"would not ship by bundlekit's rules, such as 'build/notes\.txt'"):
        pull_bundle(f"{repository}:not-ours", None, _quiet)
    with pytest.raises(UsageError, match="exists and is not an empty directory"):
        pull_bundle(f"{repository}:not-ours", tmp_path / "other", _quiet)
    assert archive.exists()


_FOREIGN = {"pyproject.toml": GOOD_PYPROJECT.encode(), "model/wire.py": GOOD_WIRE.encode()}


def _push_as_modelops(depot: Depot, tag: str, files: dict[str, bytes]) -> None:
    """Push `files` as ModelOps' own client does: with the time of now, and layers in no order."""
    entries, layers = {}, []
    for path, data in files.items():
        entries[path] = {"path": path, "digest": sha256(data), "size": len(data), "storage": "oci"}
        kind, annotations = "application/vnd.oci.image.layer.v1.tar", {"org.opencontainers.image.title": path}
        layers.append({"mediaType": kind, "digest": sha256(data), "size": len(data), "annotations": annotations})
        depot.put_blob(Descriptor(Digest(sha256(data)), len(data), kind), data, lambda _count: None)
    config = json.dumps({"version": "1.0", "created": "2026-11-26T03:00:00Z", "tool": {}, "files": entries}).encode()
    kind = "application/vnd.modelops.bundle.index.v1+json"
    described = {"mediaType": kind, "digest": sha256(config), "size": len(config)}
    depot.put_blob(Descriptor(Digest(sha256(config)), len(config), kind), config, lambda _count: None)
    document = {"schemaVersion": 2, "config": described, "layers": layers[::-1], "annotations": {}}
    depot.put_manifest(json.dumps({**document, "mediaType": _OCI_MANIFEST}).encode(), tag)


_OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_STATIC = ValidateOptions(level=Level.STATIC)
