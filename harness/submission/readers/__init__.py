"""One strict reader for each kind of byte: tree, archive, JSONL, WAV, PDF. Refuse, never repair.

A reader knows its format and the caps, nothing about challenges or layouts. What it refuses it raises as a `Refusal`
with a code of the closed list; the rules turn that into a finding.
"""
