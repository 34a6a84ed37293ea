"""Uploading, to a server of the test's own that speaks as much of the Hub as is needed."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from tests.export.conftest import MakeRun


class Hub(ThreadingHTTPServer):
    """A stand-in: one model, its files, and what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.made: dict[str, Any] | None = None
        self.files: dict[str, bytes] = {}
        self.stored: dict[str, bytes] = {}
        self.tokens: set[str | None] = set()
        self.refuse = 0
        self.card = ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, record: Any, code: int = 200) -> None:
        data = json.dumps(record).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self) -> None:
        body = self.body()
        hub, path = self.server, self.path.split("?")[0]
        hub.tokens.add(self.headers.get("Authorization"))
        if hub.refuse:
            self.answer({"error": "no"}, hub.refuse)
        elif path == "/api/repos/create":
            hub.made = json.loads(body)
            self.answer({"url": f"{hub.address}/tama/cats", "id": "tama/cats", "name": "cats"})
        elif path == "/api/validate-yaml":
            hub.card = json.loads(body)["content"]
            self.answer({"errors": [], "warnings": []})
        elif path == "/api/models/tama/cats/preupload/main":
            files = [
                {
                    "path": one["path"],
                    "uploadMode": "lfs" if one["path"].endswith(".safetensors") else "regular",
                    "shouldIgnore": False,
                }
                for one in json.loads(body)["files"]
            ]
            self.answer({"files": files})
        elif path == "/tama/cats.git/info/lfs/objects/batch":
            objects = [
                one | {"actions": {"upload": {"href": f"{hub.address}/store/{one['oid']}"}}}
                for one in json.loads(body)["objects"]
            ]
            self.answer({"transfer": "basic", "objects": objects})
        elif path == "/api/models/tama/cats/commit/main":
            for line in body.splitlines():
                entry = json.loads(line)
                value = entry["value"]
                if entry["key"] == "file":
                    hub.files[value["path"]] = base64.b64decode(value["content"])
                elif entry["key"] == "lfsFile":
                    hub.files[value["path"]] = hub.stored[value["oid"]]
            self.answer({"commitUrl": f"{hub.address}/tama/cats/commit/abc", "commitOid": "abc"})
        else:
            self.answer({"error": path}, 404)

    def do_PUT(self) -> None:
        data, name = self.body(), self.path.rsplit("/", 1)[1]
        assert hashlib.sha256(data).hexdigest() == name
        self.server.stored[name] = data
        self.answer({})


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def export(
    run: Path, out: Path, address: str, *options: str, token: str = "hf_test"
) -> subprocess.CompletedProcess[str]:
    """The program, told where the Hub is before huggingface_hub is imported."""
    told = {
        "HF_ENDPOINT": address,
        "HF_TOKEN": token,
        "HF_HOME": str(out.parent / "home"),
        "HF_HUB_DISABLE_XET": "1",  # that protocol has servers of its own
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    line = [sys.executable, "-m", "catgan", "export", str(run), str(out), "--no-onnx"]
    return subprocess.run(
        [*line, "--push", "tama/cats", *options],
        env=os.environ | told,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_it_is_uploaded_as_it_lies_there(hub: Hub, make_run: MakeRun, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = export(make_run().folder, out, hub.address, "--send")
    assert done.returncode == 0, done.stderr
    assert hub.made is not None
    assert (hub.made["name"], hub.made["organization"]) == ("cats", "tama")
    assert hub.made.get("private") is True or hub.made.get("visibility") == "private"
    assert hub.files == {path.name: path.read_bytes() for path in out.iterdir()}
    assert {"README.md", "generator.safetensors", "samples.png"} == hub.files.keys()
    assert hub.tokens == {"Bearer hf_test"}
    assert f"{hub.address}/tama/cats" in done.stdout
    facts = vars(ModelCard(hub.card).data)
    assert facts["pipeline_tag"] == "unconditional-image-generation"
    assert facts["tags"] == ["gan", "cats", "catgan"]
    assert facts.get("license") is None


@pytest.mark.slow
def test_without_send_nothing_leaves_this_machine(
    hub: Hub, make_run: MakeRun, tmp_path: Path
) -> None:
    done = export(make_run().folder, tmp_path / "out", hub.address)
    assert done.returncode == 0, done.stderr
    assert "Nothing was uploaded; add --send for that." in done.stdout
    assert not hub.tokens
    assert hub.made is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "said"), [(401, "does not know you"), (403, "does not let you write to tama/cats")]
)
def test_a_refusal_is_one_sentence(
    hub: Hub, make_run: MakeRun, tmp_path: Path, code: int, said: str
) -> None:
    hub.refuse = code
    done = export(make_run().folder, tmp_path / "out", hub.address, "--send")
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("catgan: ")]
    assert said in line
    assert "Nothing was uploaded" in line
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_nobody_there_and_nobody_logged_in(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run().folder
    done = export(run, tmp_path / "out", "http://127.0.0.1:9", "--send")
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    done = export(run, tmp_path / "out", "http://127.0.0.1:9", "--send", token="")
    assert done.returncode == 1
    assert "not logged in" in done.stderr
