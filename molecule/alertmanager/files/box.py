"""Plays a box: `box.py PORT=FILE ...` serves each file, as it is at that moment, as a page of metrics."""

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def serve(port, page):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = Path(page).read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    ThreadingHTTPServer(("0.0.0.0", port), Handler).serve_forever()  # noqa: S104 - Prometheus is on the other machine


for argument in sys.argv[1:]:
    port, _, page = argument.partition("=")
    threading.Thread(target=serve, args=(int(port), page)).start()
