"""A container engine of a test's own, which it may stop and start, and images of a few megabytes for it."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from harness.errors import MachineError
from harness.sandbox import Engine, connect
from harness.sandbox.image_archive import ImageConfig, Layer, write_image

_LIBRARY = re.compile(r"(/\S+) \(0x")
PROGRAMS = ("sh", "sed", "sleep", "mkdir", "head", "cat")


class OwnEngine:
    """A real engine without network, below a folder with a short path."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hd-"))
        self.address = f"unix://{self.folder}/s"
        (self.folder / "daemon.json").write_text("{}", "ascii")
        self._daemon: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        (self.folder / "pid").unlink(missing_ok=True)
        command = [
            "unshare", "-n", shutil.which("dockerd", path="/usr/sbin:/usr/bin") or "dockerd", "--host", self.address,
            "--data-root", f"{self.folder}/data", "--exec-root", f"{self.folder}/x", "--pidfile", f"{self.folder}/pid",
            "--iptables=false", "--ip6tables=false", "--bridge=none", "--shutdown-timeout", "1", "--log-level", "error",
            "--config-file", f"{self.folder}/daemon.json",
        ]  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            self._daemon = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        until = time.monotonic() + 120
        while True:
            try:
                connect(timeout_s=5).close()
                return
            except MachineError:
                assert time.monotonic() < until, "the engine did not start"
                time.sleep(0.1)

    def stop(self) -> None:
        if self._daemon is not None:
            self._daemon.terminate()
            self._daemon.wait(120)
            self._daemon = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def shell_image(self, engine: Engine, script: str) -> str:
        """The id of a loaded image that runs ``script`` with this machine's own shell and a few of its programs."""
        files: dict[str, tuple[bytes, int]] = {"run.sh": (script.encode(), 0o755)}
        for name in PROGRAMS:
            program = shutil.which(name, path="/usr/bin:/bin")
            assert program is not None
            listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
            for path in _LIBRARY.findall(listed):
                files[path.lstrip("/")] = (Path(path).read_bytes(), 0o755)
            files[f"bin/{name}"] = (Path(program).read_bytes(), 0o755)
        archive = self.folder / "image.tar"
        config = ImageConfig(env={"PATH": "/bin"}, entrypoint=("/bin/sh", "/run.sh"))
        image_id = write_image(None, [Layer.from_files(dict(files))], config, archive)
        with archive.open("rb") as stream:
            engine.load(stream)
        return image_id
