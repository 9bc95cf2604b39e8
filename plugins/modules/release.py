# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: release
short_description: Install one version of an upstream program, switch to it atomically, keep the old ones
description:
  - Downloads a release, checks its sha256, unpacks it into C(<root>/<name>/<version>), tries it, and lets the link
    C(<root>/<name>/current) lead to it in one step. Old versions stay, so that going back to one needs no network.
  - Does everything in one call on the host. When the link leads to the wished version already, nothing is asked of
    the network and nothing is written.
  - Whenever a run is killed, the link leads to a complete version, and the next run cleans up and goes on. Runs in
    parallel wait for each other.
  - The link may be in use by a running service. The module restarts nothing; a link that was set anew is newer than
    the service, which O(gpufleet.serving.systemd_unit#module:restart_on) notices.
author: The gpufleet maintainers
options:
  name:
    description: Name of the program and of its folder under O(root).
    type: str
    required: true
  state:
    description:
      - V(present) installs O(version) and links it.
      - V(absent) removes O(version), or everything that this module made for O(name) when no version is given.
        A version that a link leads to is only removed together with everything.
    type: str
    choices: [present, absent]
    default: present
  version:
    description: The version to install or remove. Required to install.
    type: str
  url:
    description:
      - Where the publisher has it. C({version}) is replaced by O(version), C({arch}) by the publisher's word for this
        machine (O(arch_names)), C({machine}) by what C(uname -m) says.
      - Required to install.
    type: str
  arch_names:
    description: What publishers call a machine, by what C(uname -m) says.
    type: dict
    default: {x86_64: amd64, aarch64: arm64}
  checksums:
    description:
      - sha256 by publisher's URL, as C(make lock) writes it; pass the whole of C(gpufleet_lock).
      - A version that is kept on the host was checked when it came, and needs no entry to be linked again.
      - A kept version whose digest is another than the one given here is replaced.
    type: dict
    default: {}
  mirror:
    description:
      - Address of a mirror to download from instead. C(https://HOST/PATH) is taken from C(<mirror>/archives/HOST/PATH).
      - Must not hold credentials, since it is logged.
    type: str
  root:
    description: Absolute path of the folder under which releases are installed.
    type: path
    default: /opt
  link:
    description:
      - Name of the link in C(<root>/<name>).
      - V(false) installs the version beside the others, moves no link and prunes nothing. For programs that are run by
        the path of their version.
    type: raw
    default: current
  keep:
    description:
      - How many versions stay besides the wished one, the last used ones first. Versions that other links lead to
        always stay.
    type: int
    default: 2
  format:
    description: What the download is. V(auto) goes by the suffix of O(url); without a known one it is a V(file).
    type: str
    choices: [auto, tar.gz, tar.xz, tar.bz2, tar.zst, zip, file]
    default: auto
  strip_components:
    description: Leading parts that every name in the archive loses. By default a single top folder is entered.
    type: int
  binary:
    description:
      - Name for the program when the release is one file, bare or in an archive. O(name) when O(format=file).
    type: str
  smoke:
    description:
      - Command that has to succeed before the link moves, as a list. Its first word is a path inside the release.
      - Runs as nobody, in the folder of the release.
    type: list
    elements: str
    default: []
  smoke_timeout:
    description: Seconds that O(smoke) may take.
    type: float
    default: 30
  timeout:
    description: Seconds to wait for a connection and for each part of an answer.
    type: float
    default: 30
  deadline:
    description: Seconds that the download may take, all tries together.
    type: float
    default: 3600
  retries:
    description: How often a download is tried again when it failed in a way that may pass. It goes on where it ended.
    type: int
    default: 4
  backoff:
    description: Seconds to wait before the first new try; doubled each time, at most 30, and varied at random.
    type: float
    default: 1
  max_download_mb:
    description: Largest download in MiB.
    type: int
    default: 4096
  max_unpacked_mb:
    description: Most that may be unpacked, in MiB.
    type: int
    default: 16384
  lock_timeout:
    description: Seconds to wait for another run that works on the same name.
    type: float
    default: 900
  url_username:
    description: User for HTTP Basic. Sent to the host that is asked first, never to one it redirects to.
    type: str
  url_password:
    description: Password that belongs to O(url_username).
    type: str
  token:
    description: Bearer token, instead of O(url_username). Sent to the host that is asked first, never to another.
    type: str
  validate_certs:
    description: Whether the server's certificate must be valid.
    type: bool
    default: true
  ca_path:
    description: File of certificates on the host that are trusted instead of the system's.
    type: path
  use_proxy:
    description: Whether to follow C(http_proxy), C(https_proxy) and C(no_proxy) of the environment.
    type: bool
    default: true
attributes:
  check_mode:
    description: Says what would be done. Works on a host that has nothing yet, and asks nothing of the network.
    support: full
  diff_mode:
    description: Shows the linked and the kept versions before and after.
    support: full
seealso:
  - name: Versions and sources
    description: How to pin, lock, mirror, upgrade and go back.
    link: https://github.com/gpufleet/gpufleet/blob/main/docs/versions-and-sources.md
"""

EXAMPLES = r"""
- name: Install Prometheus
  gpufleet.serving.release:
    name: prometheus
    version: 3.5.3
    url: "https://github.com/prometheus/prometheus/releases/download/v{version}/prometheus-{version}.linux-{arch}.tar.gz"
    checksums: "{{ gpufleet_lock }}"
    mirror: "{{ gpufleet_mirror | default(omit, true) }}"
    smoke: [prometheus, --version]

# The version is still there, so nothing is downloaded.
- name: Go back
  gpufleet.serving.release:
    name: prometheus
    version: 2.53.3
    url: "https://github.com/prometheus/prometheus/releases/download/v{version}/prometheus-{version}.linux-{arch}.tar.gz"
    smoke: [prometheus, --version]

- name: Put uv beside what is there
  gpufleet.serving.release:
    name: uv
    version: 0.13.9
    url: "https://github.com/astral-sh/uv/releases/download/{version}/uv-{machine}-unknown-linux-gnu.tar.gz"
    checksums: "{{ gpufleet_lock }}"
    link: false
    smoke: [uv, --version]

- name: Remove all versions
  gpufleet.serving.release:
    name: prometheus
    state: absent
"""

RETURN = r"""
action:
  description: >-
    What was done, or would be: V(none), V(link) to a kept version, V(install), V(reinstall) of a damaged or republished
    version, V(remove).
  type: str
  returned: success
reason:
  description: Why a version is reinstalled.
  type: str
  returned: when the action is reinstall
version:
  description: The wished version.
  type: str
  returned: success
  sample: 3.5.3
previous:
  description: The version that the link led to before; null when it led to none.
  type: str
  returned: success
path:
  description: Folder of the version, or of the whole release when it was removed.
  type: str
  returned: success
  sample: /opt/prometheus/3.5.3
link:
  description: The link that leads to the version; null when there is none.
  type: str
  returned: success
  sample: /opt/prometheus/current
kept:
  description: Versions that stay beside it.
  type: list
  elements: str
  returned: success
removed:
  description: Versions that were removed, and staging folders that killed runs had left.
  type: list
  elements: str
  returned: success
left:
  description: What O(state=absent) left alone because this module did not make it.
  type: list
  elements: str
  returned: when there is any
downloaded:
  description: Whether something was downloaded. Always false in check mode.
  type: bool
  returned: success
bytes:
  description: Size of the download.
  type: int
  returned: success
seconds:
  description: How long it took.
  type: float
  returned: success
expected:
  description: The digest that was wanted.
  type: str
  returned: when the checksum is wrong
got:
  description: The digest that came instead.
  type: str
  returned: when the checksum is wrong
"""

import os
import platform
import re
import time

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import sources
from ..module_utils.release import install, members, shelf
from ..module_utils.release.errors import BadRequestError, ReleaseError
from ..module_utils.release.fetch import Limits
from ..module_utils.release.http import Client

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "version": {"type": "str"},
    "url": {"type": "str"},
    "arch_names": {"type": "dict", "default": dict(sources.ARCH_NAMES)},
    "checksums": {"type": "dict", "default": {}},
    "mirror": {"type": "str"},
    "root": {"type": "path", "default": "/opt"},
    "link": {"type": "raw", "default": "current"},
    "keep": {"type": "int", "default": 2},
    "format": {"type": "str", "choices": ["auto", *members.FORMATS], "default": "auto"},
    "strip_components": {"type": "int"},
    "binary": {"type": "str"},
    "smoke": {"type": "list", "elements": "str", "default": []},
    "smoke_timeout": {"type": "float", "default": 30},
    "timeout": {"type": "float", "default": 30},
    "deadline": {"type": "float", "default": 3600},
    "retries": {"type": "int", "default": 4},
    "backoff": {"type": "float", "default": 1},
    "max_download_mb": {"type": "int", "default": 4096},
    "max_unpacked_mb": {"type": "int", "default": 16384},
    "lock_timeout": {"type": "float", "default": 900},
    "url_username": {"type": "str"},
    "url_password": {"type": "str", "no_log": True},
    "token": {"type": "str", "no_log": True},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "use_proxy": {"type": "bool", "default": True},
}

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~-]*")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_MIB = 1024 * 1024


def check_names(params: dict) -> None:
    """Everything that becomes part of a path must be a plain name.

    Raises:
        BadRequestError: it is not, or an option is out of its range.
    """
    for option in ("name", "version", "link", "binary"):
        value = params[option]
        if value is not None and not (isinstance(value, str) and _NAME.fullmatch(value)):
            raise BadRequestError(f"{option} is {value!r}; expected letters, digits and . _ + ~ - only")
    if params["link"] == params["version"]:
        raise BadRequestError(f"link and version are both {params['version']!r}; they stand in the same folder")
    if not params["root"].startswith("/"):
        raise BadRequestError(f"root is {params['root']!r}; expected an absolute path")
    for option in ("keep", "retries", "strip_components"):
        if params[option] is not None and params[option] < 0:
            raise BadRequestError(f"{option} is {params[option]}; expected 0 or more")
    for option in ("timeout", "deadline", "smoke_timeout", "max_download_mb", "max_unpacked_mb"):
        if params[option] <= 0:
            raise BadRequestError(f"{option} is {params[option]}; expected more than 0")


def link_name(value: object) -> object:
    """`link: false` in all the spellings that reach a raw option."""
    return None if value is False or str(value).lower() in ("false", "no", "") else value


def order(params: dict, machine: str) -> install.Order:
    """What the options ask for, on a `machine` of that name.

    Raises:
        BadRequestError, SourceError: an option cannot be used as it stands.
    """
    url = sources.expand(params["url"], params["version"], machine, params["arch_names"])
    sources.archive_path(url)
    sha256 = params["checksums"].get(url)
    if sha256 is not None and not _SHA256.fullmatch(str(sha256)):
        raise BadRequestError(f"checksums: {sha256!r} for {url} is no sha256; expected 64 hexadecimal digits")
    archive_format = params["format"]
    if archive_format == "auto":
        archive_format = members.format_of(url) or "file"
    return install.Order(
        path=os.path.join(params["root"], params["name"]),
        wish=shelf.Wish(
            params["version"], url, str(sha256).lower() if sha256 is not None else None, params["link"], params["keep"]
        ),
        address=sources.mirrored_url(url, params["mirror"]),
        layout=install.Layout(
            archive_format,
            params["strip_components"],
            params["binary"] or (params["name"] if archive_format == "file" else None),
            params["max_unpacked_mb"] * _MIB,
        ),
        client=Client(
            params["timeout"],
            params["url_username"],
            params["url_password"],
            params["token"],
            params["validate_certs"],
            params["ca_path"],
            params["use_proxy"],
        ),
        limits=Limits(params["retries"], params["backoff"], params["deadline"], params["max_download_mb"] * _MIB),
        smoke=params["smoke"],
        smoke_timeout=params["smoke_timeout"],
        patience=params["lock_timeout"],
    )


def result(params: dict, outcome: install.Outcome) -> dict:
    """The task's result."""
    plan = outcome.plan
    present = params["state"] == "present"
    path = os.path.join(params["root"], params["name"])
    link = params["link"] if present else None
    said = {
        "changed": plan.changes or bool(outcome.debris),
        "action": plan.action,
        "version": params["version"],
        "previous": plan.previous,
        "path": os.path.join(path, params["version"]) if params["version"] else path,
        "link": os.path.join(path, link) if link else None,
        "kept": list(plan.kept),
        "removed": [*plan.remove, *outcome.debris],
        "downloaded": outcome.downloaded > 0,
        "bytes": outcome.downloaded,
    }
    if plan.reason:
        said["reason"] = plan.reason
    if not present and outcome.foreign:
        said["left"] = [os.path.join(path, name) for name in outcome.foreign]
    return said


def diff(params: dict, plan: shelf.Plan) -> dict:
    """Before and after as text, one line per version."""
    path = os.path.join(params["root"], params["name"])
    link, wished = params["link"], params["version"]
    after = set(plan.kept)
    before = after | set(plan.remove)
    if params["state"] == "present":
        after.add(wished)
        if plan.action != shelf.INSTALL:
            before.add(wished)
        linked = wished if link else None
        was = wished if link and plan.action == shelf.NONE else plan.previous
    else:
        linked = was = None
    return {
        "before_header": path,
        "after_header": path,
        "before": _listing(before, link, was),
        "after": _listing(after, link, linked),
    }


def _listing(versions: set, link: str | None, linked: str | None) -> str:
    return "".join(f"{version}{f' <- {link}' if version == linked else ''}\n" for version in sorted(versions))


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        required_if=[("state", "present", ("version", "url"))],
        mutually_exclusive=[("url_username", "token")],
        required_together=[("url_username", "url_password")],
        supports_check_mode=True,
    )
    params = module.params
    params["link"] = link_name(params["link"])
    started = time.monotonic()
    try:
        check_names(params)
        if params["state"] == "present":
            wanted = order(params, platform.machine())
            outcome = install.present(wanted, module.check_mode)
            if not wanted.wish.sha256:
                module.warn(
                    f"the lock file has no sha256 for {wanted.wish.url}; other hosts cannot install it: run `make lock`"
                )
        else:
            path = os.path.join(params["root"], params["name"])
            outcome = install.absent(path, params["version"], params["lock_timeout"], module.check_mode)
    except (ReleaseError, sources.SourceError) as error:
        module.fail_json(msg=f"{params['name']}: {error}", **getattr(error, "facts", {}))
    except OSError as error:
        remedy = "; run the task with become: true" if isinstance(error, PermissionError) and os.geteuid() != 0 else ""
        where = error.filename or os.path.join(params["root"], params["name"])
        module.fail_json(msg=f"{params['name']}: {where}: {error.strerror or error}{remedy}")
    said = result(params, outcome)
    said["seconds"] = round(time.monotonic() - started, 3)
    if module._diff:
        said["diff"] = diff(params, outcome.plan)
    module.exit_json(**said)


if __name__ == "__main__":
    main()
