"""Running an untrusted image: a container with hard limits and no network, label-free inputs, outputs taken safely.

`docker` is imported in this room only. docs/explanation/threat-model.md tells the threats and the flags.
"""

from harness.sandbox.attempted_hosts import attempted_hosts
from harness.sandbox.container import ContainerOutcome, remove_leftovers
from harness.sandbox.engine import Engine, Host, connect
from harness.sandbox.limits import effective_limits
from harness.sandbox.nonce import containers_of, new_nonce
from harness.sandbox.output_store import OutputStore, output_store, require_room
from harness.sandbox.preflight import Preflight, forget_preflights, require_preflight
from harness.sandbox.profile import Mount, Profile, profile_sha256, seccomp_text
from harness.sandbox.run_container import run_container, run_host
from harness.sandbox.run_image import run_team_image
from harness.sandbox.staging_pairs import PairFiles
from harness.sandbox.take import take_file

__all__ = [
    "ContainerOutcome",
    "Engine",
    "Host",
    "Mount",
    "OutputStore",
    "PairFiles",
    "Preflight",
    "Profile",
    "attempted_hosts",
    "connect",
    "containers_of",
    "effective_limits",
    "forget_preflights",
    "new_nonce",
    "output_store",
    "profile_sha256",
    "remove_leftovers",
    "require_preflight",
    "require_room",
    "run_container",
    "run_host",
    "run_team_image",
    "seccomp_text",
    "take_file",
]
