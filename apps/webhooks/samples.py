"""Receivers that verify what arrives, as code that runs as it stands; for the console and the docs."""

from __future__ import annotations

from typing import Final

_PYTHON: Final = """\
# pip install standardwebhooks
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(os.environ["WEBHOOK_SECRET"])


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            event = webhook.verify(body, dict(self.headers))
        except (WebhookVerificationError, ValueError):
            self.send_response(400)
        else:
            # The same event may come twice: keep its id, and skip one that you know.
            print(event["type"], event["id"], flush=True)
            self.send_response(204)
        self.end_headers()


HTTPServer(("", int(os.environ.get("PORT", 8000))), Handler).serve_forever()
"""

_JAVASCRIPT: Final = """\
// npm install standardwebhooks
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.WEBHOOK_SECRET);

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  try {
    const event = webhook.verify(Buffer.concat(chunks).toString(), request.headers);
    // The same event may come twice: keep its id, and skip one that you know.
    console.log(event.type, event.id);
    response.writeHead(204).end();
  } catch {
    response.writeHead(400).end();
  }
}).listen(Number(process.env.PORT ?? 8000));
"""

_NODE: Final = """\
// Nothing to install.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const key = Buffer.from(process.env.WEBHOOK_SECRET.replace(/^whsec_/, ""), "base64");

function isSigned(headers, body) {
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures = "" } = headers;
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300)) return false;
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
  // While a secret is being replaced there is a signature for each.
  return signatures.split(" ").some((signature) => {
    const [version, value = ""] = signature.split(",");
    const given = Buffer.from(value, "base64");
    return version === "v1" && given.length === expected.length && timingSafeEqual(given, expected);
  });
}

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (!isSigned(request.headers, body)) return response.writeHead(400).end();
  const event = JSON.parse(body);
  // The same event may come twice: keep its id, and skip one that you know.
  console.log(event.type, event.id);
  response.writeHead(204).end();
}).listen(Number(process.env.PORT ?? 8000));
"""

_SHELL: Final = """\
# The request's three headers are in WEBHOOK_ID, WEBHOOK_TIMESTAMP and WEBHOOK_SIGNATURE,
# its body is in body.json, byte for byte as it came.
key=$(printf %s "${WEBHOOK_SECRET#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \\n')
expected=$({ printf '%s.%s.' "$WEBHOOK_ID" "$WEBHOOK_TIMESTAMP"; cat body.json; } |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)

age=$(($(date +%s) - WEBHOOK_TIMESTAMP))
if [ "${age#-}" -gt 300 ]; then echo "too old" >&2; exit 1; fi
# While a secret is being replaced there is a signature for each.
for signature in $WEBHOOK_SIGNATURE; do
  if [ "$signature" = "v1,$expected" ]; then echo verified; exit 0; fi
done
echo "not signed with this secret" >&2
exit 1
"""


def verify_python() -> str:
    """A server on PORT (8000) that prints the events whose signature is right."""
    return _PYTHON


def verify_javascript() -> str:
    """The same for Node.js."""
    return _JAVASCRIPT


def verify_node() -> str:
    """The same for Node.js without a package."""
    return _NODE


def verify_curl() -> str:
    """For a shell with openssl: looks at one request that was kept."""
    return _SHELL


def verifying() -> list[dict[str, str]]:
    """For `components/code_tabs.html`."""
    return [
        {"language": "python", "label": "Python", "code": verify_python()},
        {"language": "javascript", "label": "JavaScript", "code": verify_javascript()},
        {"language": "node", "label": "Node.js", "code": verify_node()},
        {"language": "curl", "label": "Shell", "code": verify_curl()},
    ]
