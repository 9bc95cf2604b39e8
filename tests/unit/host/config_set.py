"""Requests for config_files below a temporary directory, owned by whoever runs the tests."""

import grp
import os
import pwd

from ansible_collections.gpufleet.serving.plugins.module_utils.config_files.request import parse

ME = pwd.getpwuid(os.geteuid()).pw_name
MY_GROUP = grp.getgrgid(os.getegid()).gr_name
OWNERSHIP = {"owner": ME, "group": MY_GROUP}


def file(path, content="x\n", mode="0644", secret=False, **more):
    return {"path": str(path), "content": content, "mode": mode, "secret": secret, **OWNERSHIP, **more}


def directory(path, mode="0755", recursive=False):
    return {"path": str(path), "mode": mode, "recursive": recursive, **OWNERSHIP}


def check(*argv, needs=(), in_check_mode=True, timeout=60.0):
    return {
        "argv": [str(argument) for argument in argv],
        "needs": [str(path) for path in needs],
        "in_check_mode": in_check_mode,
        "timeout": timeout,
    }


def params(files=(), directories=(), remove=(), prune=(), validate=(), state="present"):
    return {
        "files": list(files),
        "directories": list(directories),
        "remove": list(remove),
        "prune": [{"directory": str(folder), "pattern": pattern} for folder, pattern in prune],
        "validate": list(validate),
        "state": state,
    }


def request(**options):
    return parse(params(**options))
