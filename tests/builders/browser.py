"""A real headless Chromium, driven through its DevTools protocol over two pipes: no port, no library.

See: https://chromedevtools.github.io/devtools-protocol/, and --remote-debugging-pipe in Chromium's own sources.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

__all__ = ["Browser", "Seen", "chromium"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_OPTIONS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--font-render-hinting=none",
)
_PATIENCE_S = 60.0


class Seen(NamedTuple):
    """What loading a page gave: its visible text, the addresses that were asked for, and what the console said.

    `width` is that of the content, which is more than the window's where something sticks out.
    """

    text: str
    requests: tuple[str, ...]
    complaints: tuple[str, ...]
    width: int


def chromium() -> str:
    """Return the browser's path; without one the test fails: skipped, it would be taken for one that passed."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail("no Chromium is installed, and pages are tested in one: apt-get install chromium fonts-liberation")
    return found


class Browser:
    """One process of the browser, with one page; it has no network, and runs no script of the page."""

    def __init__(self, home: Path) -> None:
        to_browser, self._writing = os.pipe()
        self._reading, from_browser = os.pipe()
        # Its setuid or user-namespace sandbox starts for no superuser; the pages here are ours.
        options = [*_OPTIONS, f"--user-data-dir={home}", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        # The protocol's pipes are the descriptors 3 and 4.
        script = f'exec 3<&{to_browser} 4>&{from_browser}; exec "$@"'
        self._process = subprocess.Popen(
            ["bash", "-c", script, "bash", chromium(), *options, "about:blank"],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_CACHE_HOME": str(home)},
        )
        os.close(to_browser)
        os.close(from_browser)
        self._buffer = b""
        self._number = 0
        self._events: list[dict[str, Any]] = []
        targets = self._ask("Target.getTargets")["targetInfos"]
        target = next(each["targetId"] for each in targets if each["type"] == "page")
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime", "DOM", "CSS", "Accessibility"):
            self.ask(f"{domain}.enable")
        self.ask("Emulation.setScriptExecutionDisabled", value=True)
        self.ask("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)

    def close(self) -> None:
        """End the browser and wait for it."""
        self._send("Browser.close", {}, None)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._writing)
        os.close(self._reading)

    def ask(self, method: str, **params: object) -> dict[str, Any]:
        """Return the answer to a command about the page."""
        return self._ask(method, self._session, **params)

    def load(self, page: Path, *, dark: bool = False, width: int = 1200, print_media: bool = False) -> Seen:
        """Load the page in a window of that width, and return what there is to see."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", media="print" if print_media else "screen", features=[scheme])
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self._events.clear()
        self.ask("Page.navigate", url=page.as_uri())
        self._await("Page.loadEventFired")
        remote = self.ask("DOM.resolveNode", nodeId=self._node("body"))["object"]["objectId"]
        # The debugger's own calls run even where the page's scripts may not.
        called = self.ask(
            "Runtime.callFunctionOn",
            objectId=remote,
            functionDeclaration="function() { return this.innerText }",
            returnByValue=True,
        )
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        return Seen(called["result"]["value"], self._requests(), self._complaints(), int(size["width"]))

    def style(self, selector: str, name: str) -> str:
        """Return the computed value of a property of the first element that `selector` names."""
        node = self._node(selector)
        found = self.ask("CSS.getComputedStyleForNode", nodeId=node)["computedStyle"]
        return next(str(each["value"]) for each in found if each["name"] == name)

    def screenshot(self, file: Path, *, height: int | None = None) -> None:
        """Write what is shown into `file`, the whole page or its first `height` pixels."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": height or min(size["height"], 8000), "scale": 1}
        shot = self.ask("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))

    def printed(self) -> bytes:
        """Return the page as PDF."""
        return base64.b64decode(self.ask("Page.printToPDF", printBackground=True)["data"])

    def _node(self, selector: str) -> int:
        root = self.ask("DOM.getDocument", depth=0)["root"]["nodeId"]
        return int(self.ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"])

    def _requests(self) -> tuple[str, ...]:
        return tuple(
            each["params"]["request"]["url"] for each in self._events if each["method"] == "Network.requestWillBeSent"
        )

    def _complaints(self) -> tuple[str, ...]:
        said = [each["params"]["entry"]["text"] for each in self._events if each["method"] == "Log.entryAdded"]
        kinds = {"Runtime.consoleAPICalled", "Runtime.exceptionThrown"}
        return (*said, *(json.dumps(each["params"]) for each in self._events if each["method"] in kinds))

    def _await(self, method: str) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not any(event["method"] == method for event in self._events):
            self._events.append(self._received(deadline))

    def _ask(self, method: str, session: str | None = None, **params: object) -> dict[str, Any]:
        number = self._send(method, params, session)
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            message = self._received(deadline)
            if message.get("id") == number:
                assert "error" not in message, (method, message["error"])
                result: dict[str, Any] = message["result"]
                return result
            if "method" in message:
                self._events.append(message)

    def _send(self, method: str, params: object, session: str | None) -> int:
        self._number += 1
        request = {"id": self._number, "method": method, "params": params}
        request |= {"sessionId": session} if session else {}
        os.write(self._writing, json.dumps(request).encode() + b"\0")
        return self._number

    def _received(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._reading], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(self._reading, 1 << 20) if ready else b""
            assert data, "the browser does not answer" if not ready else "the browser has ended"
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message
