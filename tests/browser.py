"""A real browser for tests, with its network off: pages as a person sees and works them.

Spoken to through two pipes in the browser's own protocol (DevTools), so that keys are real keys and
everything that a page asks for or complains about is heard.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))),
    None,
)
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-extensions "
    "--disable-background-networking --disable-component-update --disable-sync "
    "--disable-dev-shm-usage --hide-scrollbars --remote-debugging-pipe"
)
# the browser reads commands from descriptor 3 and writes answers to 4
START = """
import fcntl, os, sys
commands, answers = (fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3])
os.dup2(commands, 3)
os.dup2(answers, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
PATIENCE = 120.0  # seconds for one answer, on a machine that does other things


class Browser:
    """One browser with one page."""

    def __init__(
        self, profile: Path, *, width: int = 1280, height: int = 900, offline: bool = True
    ) -> None:
        """Start it.

        Args:
            profile: A folder for what browsers keep.
            width: Of its window, pixels.
            height: Likewise.
            offline: Whether it has no network; pages of this machine need one.
        """
        assert CHROMIUM is not None
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", START, str(commands), str(answers), CHROMIUM, *FLAGS.split(),
             f"--user-data-dir={profile}"],
            pass_fds=(commands, answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(commands)
        os.close(answers)
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.requests: list[str] = []
        self.complaints: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")
        self.send(
            "Network.emulateNetworkConditions",
            offline=offline, latency=0, downloadThroughput=-1, uploadThroughput=-1,
        )  # fmt: skip
        self.resize(width, height)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._commands)
        os.close(self._answers)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol, and its answer."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._commands, data) :]
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return dict(answer["result"])

    def _receive(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], deadline - time.monotonic())
            assert ready, "the browser does not answer"
            chunk = os.read(self._answers, 1 << 20)
            assert chunk, "the browser has ended"
            self._buffer += chunk
        raw, self._buffer = self._buffer.split(b"\0", 1)
        message: dict[str, Any] = json.loads(raw)
        self._hear(message.get("method", ""), message.get("params", {}))
        return message

    def _hear(self, method: str, about: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])
        elif method == "Network.loadingFailed":
            self.complaints.append(f"failed: {about['errorText']}")
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(about["exceptionDetails"]))
        elif method == "Log.entryAdded" and about["entry"]["level"] == "error":
            self.complaints.append(str(about["entry"]))
        elif method == "Runtime.consoleAPICalled" and about["type"] in ("error", "warning"):
            self.complaints.append(str(about["args"]))

    def open(self, page: Path) -> None:
        """Open a file and wait until it is drawn."""
        self.send("Page.navigate", url=page.resolve().as_uri())
        self.wait("document.readyState === 'complete'")

    def visit(self, address: str) -> None:
        """Open an address and wait until it is drawn."""
        self.send("Page.navigate", url=address)
        self.wait("document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """What an expression comes to in the page; promises are waited for."""
        found = self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait(self, condition: str) -> None:
        """Until an expression comes true in the page."""
        deadline = time.monotonic() + PATIENCE
        while not self.run(condition):
            assert time.monotonic() < deadline, condition
            time.sleep(0.05)

    def resize(self, width: int, height: int) -> None:
        """Another window, in pixels."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    def prefer(self, scheme: str) -> None:
        """The person prefers `dark` or `light`."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", features=features)

    def type(self, keys: str) -> None:
        """Keys with a letter or a sign, one by one."""
        for key in keys:
            self.send("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
            self.send("Input.dispatchKeyEvent", type="keyUp", key=key)

    def click(self, x: float, y: float, *, keys: int = 0, count: int = 1) -> None:
        """The mouse's left button, down and up.

        Args:
            x: From the window's left edge, pixels.
            y: From its top edge, likewise.
            keys: Held meanwhile: 2 for Ctrl, 8 for Shift.
            count: 2 for the second click of two.
        """
        for kind in ("mousePressed", "mouseReleased"):
            self._mouse(kind, x, y, button="left", clickCount=count, modifiers=keys)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """The mouse from one place to another with its left button down, in a few steps."""
        self._mouse("mousePressed", *start, button="left", clickCount=1)
        for step in (0.1, 0.4, 0.7, 1.0):
            x, y = (a + (b - a) * step for a, b in zip(start, end, strict=True))
            self._mouse("mouseMoved", x, y, button="left", buttons=1)
        self._mouse("mouseReleased", *end, button="left", clickCount=1)

    def wheel(self, x: float, y: float, by: float) -> None:
        """The wheel, towards the person where `by` is more than 0."""
        self._mouse("mouseWheel", x, y, deltaX=0, deltaY=by)

    def tap(self, x: float, y: float) -> None:
        """A finger."""
        self.send("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def _mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def shot(self, path: Path) -> None:
        """The window as a PNG file."""
        data = self.send("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(data))

    def press(self, key: str, code: int, *, keys: int = 0) -> None:
        """A key, down and up.

        Args:
            key: Its name, such as `Tab` or `ArrowLeft`.
            code: Its number in Windows' table.
            keys: Held meanwhile, as for `click`.
        """
        down = {"type": "keyDown", "text": "\r"} if key == "Enter" else {"type": "rawKeyDown"}
        for kind in (down, {"type": "keyUp"}):
            self.send(
                "Input.dispatchKeyEvent",
                key=key, code=key, windowsVirtualKeyCode=code, modifiers=keys, **kind,
            )  # fmt: skip
