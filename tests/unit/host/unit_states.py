"""Units as systemd shows them, and a systemd that plays a script."""

from ansible_collections.gpufleet.serving.plugins.module_utils.units.clock import Clock
from ansible_collections.gpufleet.serving.plugins.module_utils.units.state import parse_show
from ansible_collections.gpufleet.serving.plugins.module_utils.units.systemctl import Systemd

NAME = "app.service"
SECOND = 10**9
# The host has been up for 1000 s; the unit started 100 s ago.
NOW = Clock(wall=1_800_000_000 * SECOND, monotonic=1000 * SECOND)
STARTED_US = 900 * 10**6

RUNNING = {
    "LoadState": "loaded",
    "LoadError": "",
    "ActiveState": "active",
    "SubState": "running",
    "UnitFileState": "enabled",
    "FragmentPath": "/etc/systemd/system/app.service",
    "DropInPaths": "",
    "NeedDaemonReload": "no",
    "Type": "exec",
    "MainPID": "4242",
    "ExecMainCode": "0",
    "ExecMainStatus": "0",
    "ExecMainStartTimestampMonotonic": str(STARTED_US),
    "ActiveEnterTimestampMonotonic": str(STARTED_US + 500),
    "StateChangeTimestampMonotonic": str(STARTED_US + 500),
    "Result": "success",
    "ReloadResult": "success",
    "NRestarts": "0",
    "InvocationID": "a" * 32,
    "CanReload": "yes",
    "Job": "",
    "ConditionResult": "yes",
    "ConditionTimestampMonotonic": str(STARTED_US - 500),
}
STOPPED = {
    **RUNNING,
    "ActiveState": "inactive",
    "SubState": "dead",
    "MainPID": "0",
    "InvocationID": "",
    "ExecMainStartTimestampMonotonic": "0",
    "ActiveEnterTimestampMonotonic": "0",
    "ConditionTimestampMonotonic": "0",
    "ConditionResult": "no",
}
STARTING = {**STOPPED, "Job": "17"}
NOT_FOUND = {
    **STOPPED,
    "LoadState": "not-found",
    "LoadError": 'org.freedesktop.systemd1.NoSuchUnit "Unit app.service not found."',
    "UnitFileState": "",
    "FragmentPath": "",
}
CRASHED = {
    **RUNNING,
    "ActiveState": "activating",
    "SubState": "auto-restart",
    "MainPID": "0",
    "ExecMainCode": "1",
    "ExecMainStatus": "3",
    "Result": "exit-code",
}
FAILED = {**CRASHED, "ActiveState": "failed", "SubState": "failed"}


def text(properties):
    return "".join(f"{key}={value}\n" for key, value in properties.items())


def state(base=None, **changes):
    return parse_show(NAME, text({**(base or RUNNING), **changes}))


class Script(Systemd):
    """Shows the given states one after the other, the last one for ever, and keeps the commands it got."""

    def __init__(self, *shown, journal=(), refuse=()):
        super().__init__(self._command)
        self.shown = list(shown)
        self.lines = list(journal)
        self.refuse = refuse
        self.commands = []

    def _command(self, argv):
        if argv[0] == "journalctl":
            return 0, "\n".join(self.lines), ""
        arguments = [word for word in argv[1:] if word not in ("--no-pager", "--no-ask-password")]
        if arguments[0] == "show":
            return 0, text(self.shown.pop(0) if len(self.shown) > 1 else self.shown[0]), ""
        self.commands.append(" ".join(arguments))
        if any(word in arguments for word in self.refuse):
            return 1, "", "Access denied"
        return 0, "", ""


class Time:
    """A clock that only moves when somebody sleeps."""

    def __init__(self):
        self.passed = 0.0

    def __call__(self):
        nanoseconds = int(self.passed * SECOND)
        return Clock(NOW.wall + nanoseconds, NOW.monotonic + nanoseconds)

    def sleep(self, seconds):
        self.passed += seconds
