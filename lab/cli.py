"""lab/lab: arguments in, exit status out."""

from __future__ import annotations

import argparse
import sys

from lab.errors import LabError
from lab.mirror import build


def main() -> int:
    parser = argparse.ArgumentParser(prog="lab/lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("tools").set_defaults(run=lambda wanted: build.build_tools())
    wanted = parser.parse_args()
    try:
        return wanted.run(wanted) or 0
    except LabError as error:
        print(f"lab/lab: {error}", file=sys.stderr)
        return 1
