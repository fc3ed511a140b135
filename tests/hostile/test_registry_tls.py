"""A registry elsewhere is spoken to over TLS or not at all: with the certificates of this machine, and never around."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.pushed_bundles import opened
from builders.registries import FakeRegistry, Reply, fake_registry

from bundlekit.errors import RegistryError
from bundlekit.model.reference import parse_oci_reference
from bundlekit.store.depots import RegistryOptions, open_depot
from bundlekit.store.http_answer import Patience
from bundlekit.store.http_authorization import is_loopback

_QUICK = Patience(connect_s=2, read_s=2, tries=2, first_pause_s=0.01)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate of this machine's own name, in one file, signed by nobody."""
    name = socket.gethostname()
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        pytest.skip("this machine's name leads nowhere")
    if shutil.which("openssl") is None or is_loopback(name):
        pytest.skip("no openssl, or no name but localhost")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-keyout", str(path), "-out", f"{path}.crt", "-days", "2", "-subj", "/CN=tests"]
    subprocess.run([*command, "-addext", f"subjectAltName=DNS:{name}"], check=True, capture_output=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(Path(f"{path}.crt").read_text(encoding="utf-8"))
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[FakeRegistry]:
    """A registry with that certificate, by that name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with fake_registry(socket.gethostname(), context) as registry:
        registry.manifests["v1"] = b"{}"
        yield registry


def test_a_certificate_that_this_machine_trusts_is_enough(
    secure: FakeRegistry, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An institute's own is named by SSL_CERT_FILE, as for every other program."""
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    with opened(secure, tmp_path) as depot:
        assert depot.read_manifest("v1") == b"{}"


def test_any_other_certificate_is_refused(secure: FakeRegistry, tmp_path: Path) -> None:
    """At once: trying again would not help, and neither would going without."""
    with opened(secure, tmp_path) as depot, pytest.raises(RegistryError, match="no secure connection") as caught:
        depot.read_manifest("v1")
    assert "SSL_CERT_FILE" in (caught.value.hint or "")
    assert secure.requests == []


def test_a_secure_registry_leads_nowhere_insecure(
    secure: FakeRegistry, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever listens there would see what is pulled."""
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    secure.liars.append(lambda _: Reply(307, headers={"Location": "http://storage.example/blob"}))
    with opened(secure, tmp_path) as depot, pytest.raises(RegistryError, match="which is not secure"):
        depot.read_manifest("v1")


def test_a_registry_without_tls_is_spoken_to_only_when_asked(certificate: Path, tmp_path: Path) -> None:
    """`--insecure` is one person's decision about one registry."""
    assert certificate.exists()
    with fake_registry(socket.gethostname()) as registry:
        registry.manifests["v1"] = b"{}"
        reference = parse_oci_reference(f"oci://{registry.host}/models/sir")
        depot = open_depot(reference, RegistryOptions(environ={"HOME": str(tmp_path)}, patience=_QUICK))
        with pytest.raises(RegistryError, match="no secure connection"):
            depot.read_manifest("v1")
        depot.close()
        depot = open_depot(reference, RegistryOptions(insecure=True, environ={"HOME": str(tmp_path)}, patience=_QUICK))
        assert depot.read_manifest("v1") == b"{}"
        depot.close()
