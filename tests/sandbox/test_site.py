"""What a site chose, and which place wins; versions held against their floors."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import MachineError, UsageError
from harness.sandbox.floors import below_floors, is_below
from harness.sandbox.site import Site, site_settings


@pytest.fixture(autouse=True)
def no_site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HUMDIAL_SITE", "HUMDIAL_RUNTIME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_built_in_then_file_then_environment_then_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/etc/humdial/site.toml").exists():
        assert site_settings() == Site(runtime="", floors="note")
    (tmp_path / "config/humdial").mkdir(parents=True)
    (tmp_path / "config/humdial/site.toml").write_text('runtime = "of the user"')
    assert site_settings().runtime == "of the user"
    (tmp_path / "site.toml").write_text('runtime = "of the site"\nfloors = "require"')
    monkeypatch.setenv("HUMDIAL_SITE", str(tmp_path / "site.toml"))
    assert site_settings() == Site("of the site", "require")
    monkeypatch.setenv("HUMDIAL_RUNTIME", "of the environment")
    assert site_settings() == Site("of the environment", "require")
    assert site_settings("of the option").runtime == "of the option"


@pytest.mark.parametrize("text", ["runtime = 1", 'floors = "off"', 'engine = "x"', "runtime =", "\x00"])
def test_a_wrong_site_file_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (tmp_path / "site.toml").write_text(text)
    monkeypatch.setenv("HUMDIAL_SITE", str(tmp_path / "site.toml"))
    with pytest.raises(UsageError) as caught:
        site_settings()
    assert caught.value.code == "E_CONFIG" and "site.toml" in str(caught.value)


def test_a_named_site_file_that_is_not_there_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUMDIAL_SITE", str(tmp_path / "none.toml"))
    with pytest.raises(UsageError):
        site_settings()


@pytest.mark.parametrize(
    ("what", "version", "below"),
    [
        ("runc", "1.1.5+ds1", True),
        ("runc", "1.2.7", True),
        ("runc", "1.2.8", False),
        ("runc", "1.2.10", False),
        ("runc", "1.3.2", True),
        ("runc", "1.3.3", False),
        ("runc", "1.4.0-rc.1", False),
        ("runc", "2.0", False),
        ("engine", "20.10.24+dfsg1", True),
        ("engine", "29.5.0", True),
        ("engine", "29.5.1", False),
        ("engine", "29.6.0", False),
        ("engine", "30.0.0", False),
        ("nvidia-container-toolkit", "1.17.7", True),
        ("nvidia-container-toolkit", "1.17.8", False),
        ("nvidia-container-toolkit", "1.18.0", False),
        ("cgroup", "1", True),
        ("cgroup", "2", False),
        ("engine", "garbage", True),
    ],
)
def test_versions_against_their_floors(what: str, version: str, below: bool) -> None:
    assert is_below(what, version) == below


def test_what_is_below_is_named_with_its_version() -> None:
    assert below_floors({"engine": "20.10.24", "runc": "1.3.3", "cgroup": "1"}) == ("engine 20.10.24", "cgroup 1")


@pytest.mark.engine
def test_a_site_may_require_the_floors(
    base_image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_limits: object
) -> None:
    from test_container import profile_of

    from harness.sandbox import connect, run_container

    (tmp_path / "site.toml").write_text('floors = "require"')
    monkeypatch.setenv("HUMDIAL_SITE", str(tmp_path / "site.toml"))
    engine = connect()
    image = engine.image_id(base_image) or ""
    below = below_floors(engine.versions())
    if not below:
        pytest.skip("everything here is above the floors")
    with pytest.raises(MachineError) as caught:
        run_container(engine, profile_of(small_limits, "print(1)"), image, deadline_s=20)  # type: ignore[arg-type]
    assert caught.value.code == "I_PREFLIGHT" and below[0] in str(caught.value)
