"""The speech call as code that runs as it stands, once the reader's key is in it.

What the reader may change is wrapped in `<span data-fill>`: the playground writes the current text, voice,
model and speed there (static/js/samples.js quotes them as `_quoted` does here).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

KEY_PLACEHOLDER = "YOUR_API_KEY"
FIRST_TEXT = "Hello! This is my first request."

_CURL = """\
curl {url} \\
  -H "X-API-Key: {key}" \\
  -H "Content-Type: application/json" \\
  -d '{{{shell_fields}}}' \\
  --fail-with-body --output speech.wav
"""
_PYTHON = """\
import requests

response = requests.post(
    "{url}",
    headers={{"X-API-Key": "{key}"}},
    json={{{fields}}},
    timeout=60,
)
response.raise_for_status()
with open("speech.wav", "wb") as file:
    file.write(response.content)
"""
_JAVASCRIPT = """\
import {{ writeFile }} from "node:fs/promises";

const response = await fetch("{url}", {{
  method: "POST",
  headers: {{ "X-API-Key": "{key}", "Content-Type": "application/json" }},
  body: JSON.stringify({{{fields}}}),
}});
if (!response.ok) throw new Error(await response.text());
await writeFile("speech.wav", Buffer.from(await response.arrayBuffer()));
"""
# Of the management API, without a body.
_API_CURL = """\
curl {curl_method}{url} \\
  -H "X-API-Key: {key}" \\
  --fail-with-body
"""
_API_PYTHON = """\
import requests

response = requests.{python_method}("{url}", headers={{"X-API-Key": "{key}"}}, timeout=30)
response.raise_for_status()
{python_read}"""
_API_JAVASCRIPT = """\
const response = await fetch("{url}", {{
  method: "{method}",
  headers: {{ "X-API-Key": "{key}" }},
}});
if (!response.ok) throw new Error(await response.text());
{javascript_read}"""


@dataclass(frozen=True)
class Sample:
    language: str
    label: str
    code: SafeString


def of_speech(base_url: str, *, key: str = KEY_PLACEHOLDER, **call: Any) -> list[Sample]:
    """curl, Python and JavaScript for `POST /generate` with the fields of `call`."""
    values: dict[str, Any] = {"url": f"{base_url}/generate", "key": key}
    values["fields"] = _fields(call)
    values["shell_fields"] = _fields(call, place="shell")
    return [
        Sample("curl", "curl", format_html(_CURL, **values)),
        Sample("python", "Python", format_html(_PYTHON, **values)),
        Sample("javascript", "JavaScript", format_html(_JAVASCRIPT, **values)),
    ]


def of_api(method: str, url: str, *, key: str = KEY_PLACEHOLDER) -> list[Sample]:
    """curl, Python and JavaScript for a call that takes no body; what a GET answers is printed."""
    is_read = method == "GET"
    values = {
        "url": url,
        "key": key,
        "method": method,
        "curl_method": "" if is_read else f"-X {method} ",
        "python_method": method.lower(),
        "python_read": "print(response.json())\n" if is_read else "",
        "javascript_read": "console.log(await response.json());\n" if is_read else "",
    }
    return [
        Sample("curl", "curl", format_html(_API_CURL, **values)),
        Sample("python", "Python", format_html(_API_PYTHON, **values)),
        Sample("javascript", "JavaScript", format_html(_API_JAVASCRIPT, **values)),
    ]


def _fields(call: dict[str, Any], place: str = "code") -> SafeString:
    parts = [
        format_html(
            '"{}": <span class="filled" data-fill="{}" data-in="{}">{}</span>',
            name,
            name,
            place,
            _quoted(value, place),
        )
        for name, value in call.items()
    ]
    return SafeString(", ".join(parts))


def _quoted(value: Any, place: str) -> str:
    """A JSON literal, which Python and JavaScript read alike; `shell`: within single quotes."""
    literal = json.dumps(value, ensure_ascii=False)
    return literal.replace("'", "'\\''") if place == "shell" else literal
