"""Where the lab keeps what it makes: a cache that survives `down --all`, and the state of what is up."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAB = ROOT / "lab"

CACHE = ROOT / ".cache"
LAB_CACHE = CACHE / "lab"
MIRROR = CACHE / "mirror"
TOOLS = CACHE / "tools"

STATE = ROOT / ".gpufleet" / "lab"
