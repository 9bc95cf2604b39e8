# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""The shell script that builds an environment: it runs as a unit of its own, so no lost connection can stop it.

root only ever unpacks wheels. Their code first runs as nobody, in the trial; which modules the trial needed is then
compiled by root, since a service cannot write beside them and would compile them again at each start.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

_NOBODY = "65534"

_SCRIPT = """\
# Written by gpufleet.serving.uv_venv.
set -eu
cd {work}
exec >>log 2>&1

echo creating >phase
rm -rf venv trial
{uv} venv --quiet --no-project --no-config --relocatable --python {python} venv

echo installing >phase
{uv} pip install --quiet --no-config --python venv/bin/python --require-hashes --no-deps --only-binary :all: \\
  {sources}--requirements requirements.txt

echo trying >phase
mkdir -m 0700 trial
chown {nobody}:{nobody} trial
{trial}

echo compiling >phase
site=$(echo {work}/venv/lib/python3*/site-packages)
find "trial/pyc$site" -name '*.pyc' 2>/dev/null | sed -e 's|^trial/pyc||' -e 's|\\.[^./]*\\.pyc$|.py|' >modules
for package in {packages}; do
  if [ -d "$site/$package" ]; then find "$site/$package" -name '*.py' >>modules; fi
done
sort -u -o modules modules
# -S: no wheel's .pth file runs. Not every file of a wheel compiles, and none has to.
{python} -I -S -m compileall -q -j 0 -i modules >/dev/null || true

echo landing >phase
touch venv/{mark}
chmod -R go-w venv
rm -rf ../../{name}
mv -T venv ../../{name}
"""

_TRIAL = """\
setpriv --reuid={nobody} --regid={nobody} --clear-groups --no-new-privs \\
  env -i PATH=/usr/local/bin:/usr/bin:/bin HOME={work}/trial TMPDIR={work}/trial LANG=C.UTF-8 \\
  PYTHONPYCACHEPREFIX={work}/trial/pyc {command}"""


@dataclass(frozen=True)
class Recipe:
    """What an environment is made from.

    Attributes:
        name: of its folder.
        work: where it is built.
        uv, python: paths of the programs.
        smoke: command that must succeed; its first word is a program of the environment.
        packages: packages that are compiled whole, beside the modules that `smoke` needs.
        index_urls: where wheels come from, the first one that has a package wins; empty means uv's own default.
        find_links: folders or pages with wheels; with `no_index` nothing else is asked.
    """

    name: str
    work: str
    uv: str
    python: str
    mark: str
    smoke: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    index_urls: list[str] = field(default_factory=list)
    find_links: list[str] = field(default_factory=list)
    no_index: bool = False


def render(recipe: Recipe) -> str:
    """The script's text."""
    sources = ["--no-index"] if recipe.no_index else []
    for url in recipe.find_links:
        sources += ["--find-links", url]
    trial = ":"
    if recipe.smoke:
        command = [f"{recipe.work}/venv/bin/{recipe.smoke[0]}", *recipe.smoke[1:]]
        trial = _TRIAL.format(nobody=_NOBODY, work=shlex.quote(recipe.work), command=shlex.join(command))
    return _SCRIPT.format(
        work=shlex.quote(recipe.work),
        uv=shlex.quote(recipe.uv),
        python=shlex.quote(recipe.python),
        sources="".join(f"{shlex.quote(word)} " for word in sources),
        nobody=_NOBODY,
        trial=trial,
        packages=shlex.join(recipe.packages),
        mark=recipe.mark,
        name=shlex.quote(recipe.name),
    )


def environment(recipe: Recipe, given: dict[str, str]) -> str:
    """The unit's environment file. Addresses of indexes stand here, since they may carry credentials."""
    values = {"UV_CACHE_DIR": f"{recipe.work}/cache", "UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"}
    if recipe.index_urls and not recipe.no_index:
        values["UV_DEFAULT_INDEX"] = recipe.index_urls[0]
        if recipe.index_urls[1:]:
            values["UV_INDEX"] = " ".join(recipe.index_urls[1:])
    values.update(given)
    return "".join(f"{name}={_quoted(value)}\n" for name, value in sorted(values.items()))


def _quoted(value: str) -> str:
    escaped = str(value)
    for character in '\\"`$':
        escaped = escaped.replace(character, f"\\{character}")
    return f'"{escaped}"'
