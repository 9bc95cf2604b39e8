"""Takes notifications on port 9911 and tells on GET what came, by path and by the label instance."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RECEIVED = []


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        RECEIVED.append(
            {
                "path": self.path,
                "authorization": self.headers.get("Authorization"),
                "status": body["status"],
                "instance": body["groupLabels"].get("instance", ""),
                "alerts": sorted({alert["labels"]["alertname"] for alert in body["alerts"]}),
            }
        )
        self.answer([])

    def do_GET(self):
        self.answer(RECEIVED)

    def do_DELETE(self):
        RECEIVED.clear()
        self.answer([])

    def answer(self, content):
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


ThreadingHTTPServer(("0.0.0.0", 9911), Handler).serve_forever()  # noqa: S104 - both machines notify it
