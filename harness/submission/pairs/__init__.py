"""Full-duplex inputs and outputs: one WAV answers one WAV, sample by sample."""

from harness.submission.pairs.inputs import PairInputs, has_pairs, read_pairs
from harness.submission.pairs.outputs import looks_like_outputs
from harness.submission.pairs.whole import check_pairs

__all__ = ["PairInputs", "check_pairs", "has_pairs", "looks_like_outputs", "read_pairs"]
