"""What an image may ask for, and which of its programs runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.sandbox.image_rules import MAX_LAYERS, Image, check_image, choose_command

SOUND = Image("sha256:x", "amd64", 100, 3, ("/a",), (), (), ("PATH=/bin",))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"volumes": ("/data",)}, "E_IMG_VOLUME"),
        ({"environment": ("LD_PRELOAD=/x.so",)}, "E_IMG_ENV"),
        ({"environment": ("LD_AUDIT=",)}, "E_IMG_ENV"),
        ({"architecture": "arm64"}, "E_IMG_ARCH"),
        ({"user": "root"}, "W_IMG_USER"),
        ({"user": "0:100"}, "W_IMG_USER"),
        ({"bytes": 1001}, "E_IMG_SIZE"),
        ({"layers": MAX_LAYERS + 1}, "E_IMG_SIZE"),
    ],
)
def test_each_fault_has_its_code(changes: dict[str, object], code: str) -> None:
    assert check_image(SOUND, "amd64", max_bytes=1000) == []
    found = check_image(replace(SOUND, **changes), "amd64", max_bytes=1000)  # type: ignore[arg-type]
    assert [each.code for each in found] == [code]


def test_all_faults_at_once_and_hostile_names_escaped() -> None:
    found = check_image(replace(SOUND, volumes=("/x\x1b[31m\n",), architecture="arm64"), "amd64")
    assert [each.code for each in found] == ["E_IMG_VOLUME", "E_IMG_ARCH"]
    assert found[0].message.isprintable() and found[0].message.isascii()


@pytest.mark.parametrize(
    ("entrypoint", "mode", "command", "chosen"),
    [
        (("/a",), 0o755, ("x",), (("/a",), ("x",))),
        ((), 0o755, ("x",), (("/run.sh",), ())),
        ((), 0o644, ("x",), (("/bin/sh", "/run.sh"), ())),
        ((), None, ("x", "y"), (("x",), ("y",))),
        ((), None, (), None),
    ],
)
def test_entrypoint_else_run_sh_else_cmd(
    entrypoint: tuple[str, ...], mode: int | None, command: tuple[str, ...], chosen: object
) -> None:
    assert choose_command(replace(SOUND, entrypoint=entrypoint, command=command), mode) == chosen
