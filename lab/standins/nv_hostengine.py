#!/usr/bin/python3
"""Stands in for DCGM's nv-hostengine: listens where the stand-in exporter connects to, and does nothing else.

Packed as /usr/bin/nv-hostengine, with the flags of the vendor's unit: -n (stay in the foreground) and
--service-account. -b and -p say where to listen, as upstream's do.
"""

import argparse
import socketserver
import sys


class Silence(socketserver.BaseRequestHandler):
    """Takes a connection and waits until the other side closes it."""

    def handle(self):
        while self.request.recv(4096):
            pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def main(arguments):
    parser = argparse.ArgumentParser(prog="nv-hostengine")
    parser.add_argument("-n", action="store_true")
    parser.add_argument("-b", "--bind-interface", default="127.0.0.1")
    parser.add_argument("-p", "--port", type=int, default=5555)
    parser.add_argument("--service-account")
    told = parser.parse_args(arguments)
    print(f"Host Engine Listener Started on {told.bind_interface}:{told.port}", flush=True)
    with Server((told.bind_interface, told.port), Silence) as server:
        server.serve_forever()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
