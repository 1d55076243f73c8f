"""Real-time streaming to a participant: the protocol, the time line of what it says, the session and its pacer."""

from harness.duplex.stream.pacer import pace
from harness.duplex.stream.playout import Playout, Stretch
from harness.duplex.stream.session import ItemRun, Session, StreamLimits, StreamState

__all__ = ["ItemRun", "Playout", "Session", "StreamLimits", "StreamState", "Stretch", "pace"]
