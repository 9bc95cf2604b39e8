"""The fixtures of the unit tests serve here too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "unit" / "release"))

from release_fixtures import certificates, opt, publisher  # noqa: F401
