"""Where the lab keeps what it makes: a cache that survives `down --all`, and the state of what is up."""

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAB = ROOT / "lab"

CACHE = ROOT / ".cache"
LAB_CACHE = CACHE / "lab"
SCRATCH = LAB_CACHE / "scratch"
IMAGES = LAB_CACHE / "images"
MIRROR = CACHE / "mirror"
TOOLS = CACHE / "tools"

STATE = ROOT / ".gpufleet" / "lab"

# Two checkouts on one machine have containers, networks and namespaces of their own.
CHECKOUT = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
RUN = Path("/run") / f"gpufleet-lab-{CHECKOUT}"
STORAGE = LAB_CACHE / f"containers-{CHECKOUT}"
NETWORKS = STATE / "networks"
