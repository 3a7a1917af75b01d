"""The style sheets: one file holds raw colours and sizes, and its colours can be read."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from django.conf import settings

SHEETS = Path(settings.BASE_DIR) / "static" / "css"
TOKENS = (SHEETS / "tokens.css").read_text()
# What begins with staff dresses admin, in the terms of unfold's own theme.
CONSOLE = sorted(
    path.name
    for path in SHEETS.glob("*.css")
    if path.name != "tokens.css" and not path.name.startswith("staff")
)
RAW = re.compile(
    r"#[0-9a-fA-F]{3,8}\b|\b(?:oklch|rgba?|hsla?)\(|\b\d*\.?\d+(?:px|rem|pt)\b|(?<![\w-])(?:white|black)(?![\w-])"
)
GROUNDS = ("canvas", "rail", "surface", "raised", "inset")
SEMANTIC = ("green", "amber", "red", "blue", "accent")


def declarations(sheet: str) -> str:
    """A sheet without comments and media conditions, which cannot name a token."""
    return re.sub(r"/\*.*?\*/|@media[^{]*", "", sheet, flags=re.DOTALL)


@pytest.mark.parametrize("sheet", CONSOLE)
def test_only_the_tokens_hold_raw_colours_and_sizes(sheet: str) -> None:
    assert RAW.findall(declarations((SHEETS / sheet).read_text())) == []


def test_every_token_that_is_used_exists() -> None:
    sheets = [(SHEETS / name).read_text() for name in (*CONSOLE, "tokens.css")]
    used = {name for sheet in sheets for name in re.findall(r"var\(--([\w-]+)\)", sheet)}
    assert used - set(re.findall(r"^\s*--([\w-]+):", TOKENS, re.MULTILINE)) == set()


def value_of(token: str) -> str:
    found = re.search(rf"^\s*--{token}:\s*(.+?);$", TOKENS, re.MULTILINE)
    assert found, token
    alias = re.fullmatch(r"var\(--([\w-]+)\)", found[1])
    return value_of(alias[1]) if alias else found[1]


def luminance(token: str, theme: str) -> float:
    """Relative luminance (WCAG) of an OKLCH token in one theme."""
    colours = re.findall(r"oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)", value_of(token))
    lightness, chroma, hue = map(float, colours[0 if theme == "light" else -1])
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    return sum(w * min(max(c, 0), 1) for w, c in ((0.2126, red), (0.7152, green), (0.0722, blue)))


def contrast(text: str, ground: str, theme: str) -> float:
    lighter, darker = sorted((luminance(text, theme), luminance(ground, theme)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *((text, ground) for text in ("text", "secondary", "muted", "accent-text") for ground in GROUNDS),
        *((f"{name}-text", ground) for name in SEMANTIC for ground in ("surface", f"{name}-soft")),
        *(("text", f"{name}-soft") for name in SEMANTIC),
        ("accent-ink", "accent"),
        ("accent-ink", "red"),
        ("code-string", "code"),
    ],
)
def test_text_can_be_read(text: str, ground: str, theme: str) -> None:
    assert contrast(text, ground, theme) >= 4.5
