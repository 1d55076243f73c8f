"""`python docs/from_code`: bring docs/reference/ up to date."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from from_code import write_pages

if __name__ == "__main__":
    print("\n".join(f"docs/reference/{name}" for name in write_pages()) or "docs/reference is up to date")
