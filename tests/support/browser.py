"""Headless Chromium, driven by the DevTools protocol through two pipes: no port, no package."""

import base64
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support import wait_until

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 60.0
OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # its sandbox wants rights that a container does not give; the page is ours
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--remote-debugging-pipe",
)
Json = dict[str, Any]


def executable() -> str:
    """Return the browser's path; skip the test, saying so, where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        absent = "no Chromium here; FTT_BROWSER=1 ci/test installs it"
        (pytest.fail if os.environ.get("FTT_BROWSER") else pytest.skip)(absent)
    return found


class Failure(Exception):
    """The browser refused a command, or the page threw in an evaluation."""


class Browser:
    """One page of a browser. Commands from one thread only."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._number = 0
        self._session = ""
        self._lock = threading.Lock()
        self._arrived: dict[int, Json] = {}
        self.events: list[Json] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        rest = b""
        while chunk := os.read(self._answers, 1 << 16):
            *messages, rest = (rest + chunk).split(b"\0")
            for message in map(json.loads, messages):
                with self._lock:
                    if "id" in message:
                        self._arrived[message["id"]] = message
                    else:
                        self.events.append(message)

    def send(self, method: str, **parameters: Any) -> Json:
        """Send one command and wait for its answer."""
        self._number += 1
        number = self._number
        message: Json = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._commands, data) :]
        wait_until(lambda: number in self._arrived, SECONDS, f"{method} is answered")
        answer = self._arrived.pop(number)
        if "error" in answer:
            raise Failure(f"{method}: {answer['error']}")
        result: Json = answer["result"]
        return result

    def attach(self) -> None:
        """Take a new empty page."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        found = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        found = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in found:
            raise Failure(f"{expression}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def wait(self, expression: str) -> None:
        """Wait until a JavaScript expression holds."""
        wait_until(lambda: bool(self.evaluate(expression)), SECONDS, expression)

    def open(self, address: str) -> None:
        self.send("Page.navigate", url=address)
        self.wait("document.readyState === 'complete'")

    def size(self, width: int, height: int = 900, *, phone: bool = False) -> None:
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )

    def prefer(self, scheme: str) -> None:
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.send("Emulation.setEmulatedMedia", features=[feature])

    def press(self, key: str) -> None:
        code = {"Tab": 9, "Enter": 13}[key]
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                **text,
            )

    def screenshot(self, path: pathlib.Path) -> None:
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))

    def heard(self, method: str) -> list[Json]:
        """Return the parameters of all events of one kind."""
        with self._lock:
            return [event["params"] for event in self.events if event["method"] == method]


@contextlib.contextmanager
def browser(folder: pathlib.Path) -> Iterator[Browser]:
    """Run a browser whose profile and temporary files are in the folder."""
    path = executable()
    theirs_in, commands = os.pipe()
    answers, theirs_out = os.pipe()
    # The protocol is spoken on the numbers 3 and 4.
    shell = f'exec 8<&{theirs_in} 9>&{theirs_out}; exec "$@" 3<&8 4>&9 8<&- 9>&-'
    words = ["bash", "-c", shell, "bash", path, *OPTIONS, f"--user-data-dir={folder / 'profile'}"]
    errors = (folder / "browser.log").open("wb")
    process = subprocess.Popen(
        [*words, "about:blank"],
        pass_fds=(theirs_in, theirs_out),
        env={**os.environ, "TMPDIR": str(folder), "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=errors,
        stderr=errors,
    )
    os.close(theirs_in)
    os.close(theirs_out)
    one = Browser(commands, answers)
    try:
        one.attach()
        yield one
    finally:
        end(process, lambda: os.close(commands))
        one._reader.join(SECONDS)
        os.close(answers)
        errors.close()


def end(process: subprocess.Popen[bytes], close: Callable[[], None]) -> None:
    # A browser whose pipe is closed ends, and takes its own processes along.
    close()
    try:
        process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(SECONDS)
