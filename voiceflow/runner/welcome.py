"""What a newcomer reads when everything runs."""

from __future__ import annotations

from .configuration import Configuration
from .secrets import read_assignments


def welcome(configuration: Configuration, *, seconds: float) -> str:
    """The address, the sign-in and a first request to paste."""
    demo_file = configuration.var_dir / "demo.env"
    demo = read_assignments(demo_file) if demo_file.is_file() else {}
    lines = ["", f"VoiceFlow runs: {configuration.base_url}   (ready after {seconds:.1f} s)", ""]
    if "ADMIN_EMAIL" in demo:
        lines += [f"  Sign in   {demo['ADMIN_EMAIL']}", f"  Password  {demo.get('ADMIN_PASSWORD', '')}", ""]
    if "API_KEY_LIVE" in demo:
        shown = _relative(configuration, demo_file)
        lines += [
            "  First request, in another terminal:",
            "",
            f"    . {shown}",
            '    curl "$BASE_URL/generate" -H "X-API-Key: $API_KEY_LIVE" \\',
            "      -H 'Content-Type: application/json' \\",
            '      -d \'{"text": "Hello from VoiceFlow."}\' -o hello.wav',
            "",
        ]
    return "\n".join([*lines, "  Ctrl-C stops everything.", ""])


def _relative(configuration: Configuration, path: object) -> str:
    return str(path).replace(f"{configuration.checkout}/", "", 1)
