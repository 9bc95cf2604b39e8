"""The programs `grafana server`, `grafana cli` and their older names."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from . import flavour, ini, provisioning
from .database import Database
from .web import Application, serve


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["server"]:
        return server(arguments[1:])
    if arguments[:1] == ["cli"]:
        return cli(arguments[1:])
    if arguments[:1] in (["-v"], ["--version"]):
        print(f"grafana version {version_of(os.environ.get('GF_PATHS_HOME', '/usr/share/grafana'))}")
        return 0
    print("usage: grafana server|cli ...", file=sys.stderr)
    return 2


def version_of(home: str) -> str:
    return Path(home, "VERSION").read_text(encoding="utf-8").strip()


def server(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="grafana server")
    parser.add_argument("--config", "-config", default="")
    parser.add_argument("--homepath", "-homepath", default=os.environ.get("GF_PATHS_HOME", "/usr/share/grafana"))
    parser.add_argument("--pidfile", "-pidfile", default="")
    parser.add_argument("--packaging", "-packaging", default="unknown")
    parser.add_argument("-v", "--version", action="store_true")
    parser.add_argument("overrides", nargs="*")
    options = parser.parse_args(arguments)
    version = version_of(options.homepath)
    if options.version:
        print(f"Version {version} (commit: x, branch: HEAD)")
        return 0
    try:
        settings = read_settings(options.config, options.overrides)
        database = Database(ini.data_file(settings, options.homepath))
        start(settings, database, version, options.homepath, options.pidfile)
    except (ini.IniError, provisioning.ProvisioningError, OSError, ValueError) as error:
        print(f"Error: ✗ {error}", file=sys.stderr)
        return 1
    return 0


def read_settings(path: str, overrides: list[str]) -> ini.Settings:
    text = Path(path).read_text(encoding="utf-8") if path else ""
    return ini.load(text, os.environ, overrides)


def start(settings: ini.Settings, database: Database, version: str, home: str, pid_file: str) -> None:
    """Provision, listen, and stay until SIGTERM."""
    if not settings.on("security", "disable_initial_admin_creation"):
        database.create_admin(settings.get("security", "admin_user"), settings.get("security", "admin_password"))
    application = Application(settings, database, flavour.of(version))
    folder = Path(home, settings.get("paths", "provisioning"))
    provisioning.datasources(folder, application.sources)
    dashboards = provisioning.Dashboards(folder, application.library)
    dashboards.forget_removed_providers()
    dashboards.sweep()
    running = serve(application, settings, lambda line: print(line, flush=True))
    if pid_file:
        Path(pid_file).write_text(str(os.getpid()), encoding="ascii")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=running.serve_forever, daemon=True).start()
    print(f'logger=http.server level=info msg="HTTP Server Listen" address={running.server_address}', flush=True)
    while not stop.wait(dashboards.interval):
        dashboards.sweep()
    running.shutdown()


def cli(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="grafana cli")
    parser.add_argument("--homepath", "-homepath", default=os.environ.get("GF_PATHS_HOME", "/usr/share/grafana"))
    parser.add_argument("--config", "-config", default="")
    parser.add_argument("--pluginsDir", default="")
    parser.add_argument("--configOverrides", default="")
    commands = parser.add_subparsers(dest="area", required=True)
    admin = commands.add_parser("admin").add_subparsers(dest="command", required=True)
    reset = admin.add_parser("reset-admin-password")
    reset.add_argument("--password-from-stdin", action="store_true")
    reset.add_argument("--user-id", type=int, default=1)
    reset.add_argument("password", nargs="?", default="")
    options = parser.parse_args(arguments)
    try:
        settings = read_settings(options.config, options.configOverrides.split())
        password = sys.stdin.readline().rstrip("\n") if options.password_from_stdin else options.password
        if len(password) < 4:
            raise ValueError("New password is too short")
        path = ini.data_file(settings, options.homepath)
        database = Database(path)
        if database.row("select id from user where id = ?", options.user_id) is None:
            raise ValueError(f"could not read user from database. Error: user not found ({path})")
        database.set_password(options.user_id, password)
    except (ini.IniError, OSError, ValueError) as error:
        print(f"Error: ✗ {error}", file=sys.stderr)
        return 1
    print("\nAdmin password changed successfully ✔")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
