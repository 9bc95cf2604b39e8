"""Grafana's package with the lab's stand-in in it: paths, unit, accounts and scripts are the real one's."""

from __future__ import annotations

from pathlib import Path

import yaml

from lab.packages import units
from lab.packages.package import File, Package
from lab.paths import LAB

HOME = "usr/share/grafana"
_UNIT = "usr/lib/systemd/system/grafana-server.service"
_STANDIN = LAB / "standins/grafana"

_PROGRAM = """\
#!/bin/sh
# The lab's stand-in; it leaves no compiled files behind.
export PYTHONPATH=/usr/share/grafana/standin PYTHONDONTWRITEBYTECODE=1
exec python3 -m grafana "$@"
"""
_CLI = """\
#!/bin/sh
[ ! -f {environment} ] || . {environment}
exec /usr/share/grafana/bin/grafana cli --homepath=/usr/share/grafana --config="$CONF_FILE" \\
    --configOverrides="cfg:default.paths.provisioning=$PROVISIONING_CFG_DIR cfg:default.paths.data=$DATA_DIR" "$@"
"""
_SERVER = '#!/bin/sh\nexec /usr/share/grafana/bin/grafana server "$@"\n'
_ENVIRONMENT = """\
GRAFANA_USER=grafana
GRAFANA_GROUP=grafana
GRAFANA_HOME=/usr/share/grafana
LOG_DIR=/var/log/grafana
DATA_DIR=/var/lib/grafana
MAX_OPEN_FILES=10000
CONF_DIR=/etc/grafana
CONF_FILE=/etc/grafana/grafana.ini
RESTART_ON_UPGRADE=true
PLUGINS_DIR=/var/lib/grafana/plugins
PROVISIONING_CFG_DIR=/etc/grafana/provisioning
PID_FILE_DIR=/var/run/grafana
"""
_SERVICE = """\
[Unit]
Description=Grafana instance
Documentation=http://docs.grafana.org
Wants=network-online.target
After=network-online.target

[Service]
EnvironmentFile={environment}
User=grafana
Group=grafana
Type=simple
Restart=on-failure
WorkingDirectory=/usr/share/grafana
RuntimeDirectory=grafana
RuntimeDirectoryMode=0750
ExecStart=/usr/share/grafana/bin/grafana server \\
    --config=${{CONF_FILE}} \\
    --pidfile=${{PID_FILE_DIR}}/grafana-server.pid \\
    --packaging={packaging} \\
    cfg:default.paths.logs=${{LOG_DIR}} \\
    cfg:default.paths.data=${{DATA_DIR}} \\
    cfg:default.paths.plugins=${{PLUGINS_DIR}} \\
    cfg:default.paths.provisioning=${{PROVISIONING_CFG_DIR}}
LimitNOFILE=10000
TimeoutStopSec=20
UMask=0027

[Install]
WantedBy=multi-user.target
"""
# What the real one's script does: accounts, folders, the first configuration, and modes that it gives each time.
_SET_UP = """\
getent group grafana >/dev/null || groupadd -r grafana
getent passwd grafana >/dev/null || useradd -r -g grafana -d /usr/share/grafana -M -s /bin/false grafana
mkdir -p /var/log/grafana /var/lib/grafana
chown -R grafana:grafana /var/log/grafana /var/lib/grafana
chmod 755 /var/log/grafana /var/lib/grafana
mkdir -p /etc/grafana
[ -f /etc/grafana/grafana.ini ] || cp /usr/share/grafana/conf/sample.ini /etc/grafana/grafana.ini
for kind in access-control alerting dashboards datasources plugins; do
    [ -d /etc/grafana/provisioning/$kind ] || { mkdir -p /etc/grafana/provisioning/$kind; \\
        cp /usr/share/grafana/conf/provisioning/sample.yaml /etc/grafana/provisioning/$kind/sample.yaml; }
done
chown -Rh root:grafana /etc/grafana/*
chmod 755 /etc/grafana
find /etc/grafana -type f -exec chmod 640 {} ';'
find /etc/grafana -type d -exec chmod 755 {} ';'
"""
_DEB_POSTINST = f"""\
if [ "$1" = configure ]; then
{_SET_UP}
if [ -n "$2" ] && [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl restart grafana-server.service || true
fi
fi
"""


def deb(version: str) -> Package:
    """The package for apt."""
    environment = "etc/default/grafana-server"
    return Package(
        "grafana",
        version,
        "Grafana",
        files=_files(version, environment, "deb"),
        scripts={"postinst": _DEB_POSTINST, "prerm": units.STOP.format(unit="grafana-server.service")},
        depends=["passwd", "python3"],
    )


def rpm(version: str) -> Package:
    """The package for dnf."""
    stop = "if [ $1 -eq 0 ]; then systemctl --no-reload disable --now grafana-server.service >/dev/null 2>&1 || :; fi\n"
    again = "if [ $1 -gt 1 ]; then systemctl daemon-reload; systemctl restart grafana-server.service || :; fi\n"
    return Package(
        "grafana",
        f"{version}-1",
        "Grafana",
        files=_files(version, "etc/sysconfig/grafana-server", "rpm"),
        scripts={"postinst": _SET_UP + again, "prerm": stop},
        depends=["python3"],
    )


def _files(version: str, environment: str, packaging: str) -> dict[str, File]:
    files = {
        f"{HOME}/VERSION": _text(f"{version}\n"),
        f"{HOME}/bin/grafana": _text(_PROGRAM, 0o755),
        f"{HOME}/conf/sample.ini": _text("# The lab's stand-in: see its documentation.\n;http_port = 3000\n"),
        f"{HOME}/conf/provisioning/sample.yaml": _text("apiVersion: 1\n"),
        "usr/sbin/grafana": _text('#!/bin/sh\nexec /usr/share/grafana/bin/grafana "$@"\n', 0o755),
        "usr/sbin/grafana-cli": _text(_CLI.format(environment=f"/{environment}"), 0o755),
        "usr/sbin/grafana-server": _text(_SERVER, 0o755),
        environment: File(_ENVIRONMENT.encode(), config=True),
        _UNIT: _text(_SERVICE.format(environment=f"/{environment}", packaging=packaging)),
    }
    for name, folder in (("grafana", _STANDIN), ("yaml", Path(yaml.__file__).parent)):
        for file in sorted(folder.glob("*.py")):
            files[f"{HOME}/standin/{name}/{file.name}"] = File(file.read_bytes())
    return files


def _text(text: str, mode: int = 0o644) -> File:
    return File(text.encode(), mode)
