"""``python -m harness`` is the same as ``humdial``."""

from harness.cli.main import run

if __name__ == "__main__":
    run()
