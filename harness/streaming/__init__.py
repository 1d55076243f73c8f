"""Real-time streaming to a participant: the protocol, the time line of what it says, the session and its pacer."""

from harness.streaming.pacer import pace
from harness.streaming.playout import Playout, Stretch
from harness.streaming.session import ItemRun, Session, StreamLimits, StreamState

__all__ = ["ItemRun", "Playout", "Session", "StreamLimits", "StreamState", "Stretch", "pace"]
