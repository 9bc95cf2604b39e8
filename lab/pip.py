"""Wheels, through pip and the machine's own pip configuration (which uv does not read)."""

from __future__ import annotations

import venv
from pathlib import Path

from lab.errors import CommandFailedError
from lab.paths import LAB_CACHE
from lab.progress import Step
from lab.run import follow

_PYTHON = LAB_CACHE / "pip" / "bin" / "python"
_TARGET = "3.11"
# Where PyTorch's publishers keep the builds without CUDA, for machines whose pip configuration names no place.
_TORCH_CPU = "https://download.pytorch.org/whl/cpu"


def download(words: list[str], into: Path, step: Step) -> None:
    """`pip download` of wheels for Python 3.11 on this machine's kind, without what they depend on."""
    if not _PYTHON.is_file():
        step.at("making an environment with pip")
        venv.EnvBuilder(with_pip=True, clear=True, symlinks=True).create(LAB_CACHE / "pip")
    options = ["--no-deps", "--only-binary=:all:", f"--python-version={_TARGET}", "--disable-pip-version-check"]
    command = [str(_PYTHON), "-m", "pip", "download", *options, f"--dest={into}", *words]
    try:
        follow(command, step)
    except CommandFailedError as error:
        if "No matching distribution found for torch==" not in error.output:
            raise
        follow([*command, f"--extra-index-url={_TORCH_CPU}"], step)
