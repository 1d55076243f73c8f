"""One pair of Track 2 on one time line: who spoke when, stops, response gaps and behaviour labels, as SVG or PNG."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

from harness.duplex import Interval, PairTiming
from harness.errors import MachineError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_USER, _MODEL, _STOP, _GAP = "#3b6ea8", "#c8791f", "#b3263c", "#4c7a4c"
_ROWS = {"user": 3.0, "model": 2.0, "stop": 1.0, "response": 0.0}
_COLOURS = {"user": _USER, "model": _MODEL, "stop": _STOP, "response": _GAP}
_HEIGHT = 0.56
# Text becomes outlines, so that the picture is the same wherever it is looked at; ids come from a fixed salt.
_STYLE: dict[str, Any] = {
    "svg.hashsalt": "humdial",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 9,
}


def draw_pair(timing: PairTiming, labels: Sequence[str], format_: Literal["svg", "png"]) -> bytes:
    """The picture; the same timing and labels give the same bytes under one version of matplotlib.

    Raises MachineError (I_PLOT) when matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MachineError(
            "a time line cannot be drawn: matplotlib is not installed",
            code="I_PLOT",
            hint="pip install 'humdial-harness[duplex]'",
        ) from error
    # The caller's own matplotlibrc must not change the bytes.
    style: dict[Any, Any] = {**dict(mpl.rcParamsDefault), **_STYLE, "backend": "agg"}
    with mpl.rc_context(style):
        figure = Figure(figsize=(9.0, 2.8), layout="constrained")
        axes = figure.add_subplot()
        for name in _ROWS:
            _row(axes, name, getattr(timing, name))
        _frame(axes, timing, labels)
        picture = BytesIO()
        metadata: dict[str, Any] = {"Date": None, "Creator": None} if format_ == "svg" else {"Software": None}
        figure.savefig(picture, format=format_, dpi=150, metadata=metadata)
    return picture.getvalue()


def _row(axes: Axes, name: str, spans: Sequence[Interval]) -> None:
    """One row of bars; a stop and a gap say how long they are."""
    low = _ROWS[name] - _HEIGHT / 2
    axes.broken_barh([(start, end - start) for start, end in spans], (low, _HEIGHT), facecolors=_COLOURS[name])
    if name in ("user", "model"):
        return
    for start, end in spans:
        # Thin guides lead from the interval up to the speech that it comes from.
        axes.vlines([start, end], low, _ROWS["user"] + _HEIGHT / 2, colors=_COLOURS[name], linewidth=0.6, linestyle=":")
        axes.annotate(
            f"{end - start:.3f} s", (end, _ROWS[name]), (4, 0), textcoords="offset points", va="center", fontsize=8
        )


def _frame(axes: Axes, timing: PairTiming, labels: Sequence[str]) -> None:
    ends = [end for name in _ROWS for _, end in getattr(timing, name)]
    axes.set_xlim(0, 1.08 * max(ends, default=1.0))
    axes.set_ylim(-0.6, 3.6)
    axes.set_yticks(list(_ROWS.values()), ["user", "model", "stop", "response gap"])
    axes.set_xlabel("seconds from the input's first sample")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    if labels:
        axes.set_title(" → ".join(labels), loc="left", fontsize=10, fontweight="bold", parse_math=False)
    for name in ("user", "model"):
        if not getattr(timing, name):
            axes.text(
                0.01, _ROWS[name], "no speech", transform=axes.get_yaxis_transform(), va="center", color="#666666"
            )
