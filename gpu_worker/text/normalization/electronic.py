"""Rules for emails, web addresses, IP and hardware addresses, versions, file names, hashtags and handles."""

from __future__ import annotations

import re
from typing import Final

from gpu_worker.text.normalization.context import padded, word_before
from gpu_worker.text.normalization.numerals import word_set
from gpu_worker.text.normalization.spelling import name, number_in_name, spelled
from gpu_worker.text.normalization.words import cardinal, digits
from gpu_worker.text.rewriting import Rule

_SIGNS: Final = {
    ".": "dot",
    "-": "dash",
    "_": "underscore",
    "+": "plus",
    "@": "at",
    "/": "slash",
    "\\": "backslash",
    ":": "colon",
    "?": "question mark",
    "=": "equals",
    "&": "ampersand",
    "#": "hash",
    "%": "percent",
    "~": "tilde",
    ",": "comma",
    ";": "semicolon",
    "!": "exclamation mark",
    "*": "star",
    "$": "dollar",
    "|": "pipe",
}
_TOKEN: Final = re.compile(r"[A-Za-z0-9]+|[^\W\d_]+|.", re.S)
_TRAILING: Final = ".,;:!?'\"”’»*_~…"

# Domains that are no English words, and those that are only where the rest is surely an address.
_TLD: Final = (
    "com|org|net|edu|gov|mil|int|info|biz|io|ai|co|uk|ca|de|fr|jp|cn|au|eu|ru|br|nl|es|ch|se|fi|dk|pl|ie|nz|za|mx"
    "|kr|tv|app|dev|xyz|online|site|tech|store|shop|blog|cloud|ly|gg|fm|gl|museum|travel|name|pro|jobs|mobi|academy"
    "|agency|art|life|live|news|network|page|space|studio|systems|team|today|tools|wiki|world|ac|gr|pt|cz|hu|sg|hk"
    "|tw|il|ar|cl|tr|ua|ro|bg|ee|lv|lt|sk|si|hr|rs|vn|th|ph|pk|ng|ke|cc|ws|local|test|example|localhost"
)
_WORD_TLD: Final = "in|it|is|at|be|me|no|so|to|us|am|my|as"
_LABELS: Final = r"(?:[A-Za-z0-9-]{1,63}+\.){1,8}"
_REST: Final = r"(?::\d{1,5}(?!\d))?(?:[/?#][^\s<>\"`{}\[\]|^“”‘’]{0,2000})?"
_URL: Final = re.compile(
    r"<?(?<![\w@])(?:https?|ftps?|sftp|wss?|ssh|git|file)://[^\s<>\"`{}\[\]|^“”]{1,2000}>?"
    r"|(?<![\w@.])www\.[^\s<>\"`{}\[\]|^“”]{1,2000}",
    re.I,
)
_DOMAIN: Final = re.compile(
    rf"(?<![\w@./\\-])(?:{_LABELS}(?:{_TLD})|(?:[A-Za-z0-9-]{{1,63}}+\.){{1,8}}(?:{_WORD_TLD})(?=/\w)"
    rf"|(?:[A-Za-z0-9-]{{1,63}}+\.){{1,6}}(?:co|com|org|net|ac|gov|edu)\.(?:{_WORD_TLD})|localhost(?=[:/]\w))"
    rf"(?![\w-]|\.\w){_REST}"
)
_SCHEME: Final = re.compile(r"(?:[a-z]{2,5}://)", re.I)
_EMAIL: Final = re.compile(
    r"(?<![\w.+%'&-])(?:mailto:)?<?([\w.+%'&-]{1,64}+@(?:[A-Za-z0-9-]{1,63}+\.){0,8}[A-Za-z][A-Za-z0-9-]{1,62}(?P<path>/[\w./-]{0,200}\w)?)>?(?![\w@])",
    re.I,
)
_IPV4: Final = re.compile(
    r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)(?::\d{1,5}(?!\d))?(?:/\d{1,2}(?!\d))?"
)
_IPV6: Final = re.compile(
    r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4})?(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])(?:/\d{1,3}(?!\d))?"
)
_HARDWARE: Final = re.compile(
    r"(?<![\w:-])[0-9A-Fa-f]{2}(?:([:-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}(?![\w:-])"
)

_VERSION: Final = re.compile(
    r"(?<![\w.$€£])(?:([vV])\.? ?)?(\d{1,4}(?:\.\d{1,6}){2,4})"
    r"(?:[- ]?(alpha|beta|rc|dev|b|a)\.?(\d{1,3})?)?(?![\w%]|\.\d)"
)
_SHORT_VERSION: Final = re.compile(
    r"(?<![\w.])(?:v\.? ?(\d{1,4}(?:\.\d{1,4})?)|V(\d{1,3}\.\d{1,3}))(?![\w%]|\.\d)"
)
_RELEASE: Final = re.compile(r"(?<=[A-Za-z] )(\d{1,3})\.([1-9]\d)(?![\w%.]|[.,]\d)")
_RELEASED: Final = word_set(
    """
    python django node nodejs postgres postgresql kernel linux ios macos android version release go ruby
    php perl rust kotlin swift java laravel rails chrome firefox
    """
)
_DATE: Final = re.compile(r"\d{1,2}\.\d{1,2}\.(?:1[5-9]|20)\d\d|(?:1[5-9]|20)\d\d\.\d\d?\.\d\d?")
_TELEPHONE: Final = re.compile(r"\d{3}\.\d{3}\.\d{4}|\d{1,2}\.\d{3}\.\d{3}\.\d{4}")
_GROUPED: Final = re.compile(r"[1-9]\d{0,2}(?:\.\d{3}){2,4}")

_EXTENSIONS: Final = (
    "pdf|docx?|xlsx?|pptx?|odt|ods|rtf|txt|md|rst|csv|tsv|json|jsonl|xml|ya?ml|toml|ini|cfg|conf|log|html?|css|scss|js"
    "|mjs|jsx|tsx?|py|ipynb|rb|php|java|cpp|hpp|rs|sh|bash|bat|ps1|exe|dll|msi|dmg|deb|rpm|apk|jar|iso|zip|rar|7z|tar"
    "|gz|bz2|tgz|jpe?g|png|gif|bmp|svg|webp|tiff?|ico|psd|mp3|mp4|wav|flac|ogg|opus|aac|m4a|avi|mkv|mov|webm|epub|sql"
    "|sqlite|db|bak|tmp|lock|env|pem|crt|ttf|woff2?|srt|vtt|onnx|pt|safetensors|parquet"
)
_FILE: Final = re.compile(
    rf"(?<![\w./\\@-])(?:[\w-]{{1,100}}+\.){{1,6}}(?:{_EXTENSIONS})(?![\w-]|\.\w)|(?<![\w./\\@])\.(?:{_EXTENSIONS}|NET)(?![\w-])",
    re.I,
)
_PATH: Final = re.compile(
    r"(?<![\w./\\~-])(?:(?:~|\.{1,2})?/(?:[\w.@+-]{1,100}+/){1,20}(?:[\w.@+-]{1,100}+)?|(?:~|\.{1,2})/[\w.@+-]{1,100}+"
    r"|/(?:etc|usr|var|home|tmp|dev|bin|opt|root|lib|mnt|proc|sys|api|srv)(?![\w-])"
    rf"|(?:[\w@+-]{{1,100}}+/){{1,20}}(?:[\w-]{{1,100}}+\.){{1,4}}(?:{_EXTENSIONS})(?![\w-]|\.\w))"
)
_DRIVE: Final = re.compile(
    r"(?<!\w)[A-Za-z]:\\[^\s<>\"|?*,;“”]{0,500}|(?<![\w\\])\\\\[\w.-]{1,100}\\[^\s<>\"|?*,;]{0,500}"
)

_HASHTAG: Final = re.compile(r"(?<![\w&#/])#(?![A-Z]{1,4}-[0-9])((?=\d{0,6}[^\W\d_])\w{1,100})(?!\w)")
_HANDLE: Final = re.compile(r"(?<![\w.@/])@((?=[\d_]{0,8}[^\W\d_])[\w](?:[\w.-]{0,60}\w)?)(?![\w@])")
_SHARP: Final = re.compile(r"(?<![\w#])([A-GJQ])#(?![\w#])")
_PLUSES: Final = re.compile(r"(?<![\w+])([A-Za-z])\+\+(?![\w+])")


def said(address: str) -> str:
    """An address piece by piece: every sign by its name, names as names."""
    parts = []
    for token in _TOKEN.findall(address):
        if token in _SIGNS:
            parts.append(_SIGNS[token])
        elif token.isalnum():
            parts.append(name(token))
    return " ".join(parts)


def _without_trailing(address: str) -> tuple[str, str]:
    """The address, and the punctuation of the sentence after it."""
    stop = len(address)
    while stop:
        last = address[stop - 1]
        if last in _TRAILING or (last == ")" and address.count("(", 0, stop) < address.count(")", 0, stop)):
            stop -= 1
        else:
            break
    return address[:stop], address[stop:]


def _url(match: re.Match[str]) -> str | None:
    written = match[0].removeprefix("<")
    if len(written) < len(match[0]):
        written = written.removesuffix(">")
    address, rest = _without_trailing(written)
    local = address[:7].lower() == "file://"
    address = _SCHEME.sub("", address, count=1)
    if not local:
        address = address.rstrip("/")
    spoken = said(address)
    if address[:4].lower() == "www.":
        spoken = f"w w w dot {said(address[4:])}"
    return f"{spoken}{rest}" if spoken else None


def _email(match: re.Match[str]) -> str | None:
    user, _, host = match[1].partition("@")
    if "." not in host and match[0][-1] != ">":
        return None
    return f"{said(user.lower() if user.isupper() else user)} at {said(host.lower())}"


def _ipv4(match: re.Match[str]) -> str | None:
    address, slash, prefix = match[0].partition("/")
    host, colon, port = address.partition(":")
    parts = host.split(".")
    if any(int(part) > 255 for part in parts):
        return None
    spoken = " dot ".join(_octet(part) for part in parts)
    if colon:
        spoken += f" colon {number_in_name(port)}"
    return f"{spoken} slash {cardinal(int(prefix))}" if slash else spoken


def _octet(written: str) -> str:
    tens = len(written) == 2 and written[0] != "0" and written[1] == "0"
    return cardinal(int(written)) if tens else digits(written)


def _ipv6(match: re.Match[str]) -> str | None:
    address, slash, prefix = match[0].partition("/")
    groups = address.split(":")
    compressed = "::" in address
    if address.count("::") > 1 or ":::" in address or (not compressed and len(groups) != 8):
        return None
    if not any(character.isdigit() for character in address):
        return None
    spoken = _hexadecimal(address)
    return f"{spoken} slash {cardinal(int(prefix))}" if slash else spoken


def _hexadecimal(address: str) -> str:
    named = {":": "colon", "-": "dash"}
    return " ".join(
        named.get(character) or (digits(character) if character.isdigit() else character)
        for character in address
    )


def _version(match: re.Match[str]) -> str | None:
    letter, numbers, stage, stage_number = match.groups()
    if not letter and (
        _DATE.fullmatch(numbers) or _TELEPHONE.fullmatch(numbers) or _GROUPED.fullmatch(numbers)
    ):
        return None
    if not letter and stage in ("a", "b") and not stage_number:
        return None
    spoken = f"{'version ' if letter else ''}{_dotted(numbers)}"
    if stage:
        spoken += f" {stage if len(stage) > 2 else spelled(stage)}"
        if stage_number:
            spoken += f" {cardinal(int(stage_number))}"
    return spoken


def _dotted(numbers: str) -> str:
    return " point ".join(
        digits(part) if part[0] == "0" and len(part) > 1 else cardinal(int(part))
        for part in numbers.split(".")
    )


def _short_version(match: re.Match[str]) -> str:
    return f"version {_dotted(match[1] or match[2])}"


def _release(match: re.Match[str]) -> str | None:
    before = word_before(match.string, match.start()).lower()
    if before not in _RELEASED:
        return None
    return f"{cardinal(int(match[1]))} point {cardinal(int(match[2]))}"


def _file(match: re.Match[str]) -> str:
    return said(match[0])


def _path(match: re.Match[str]) -> str:
    path = match[0].rstrip(".")
    rest = match[0][len(path) :]
    if len(path) > 1 and path.endswith("/"):
        path = path[:-1]
    return f"{said(path)}{rest}"


def _drive(match: re.Match[str]) -> str:
    path, rest = _without_trailing(match[0])
    return f"{said(path)}{rest}"


def _hashtag(match: re.Match[str]) -> str:
    return f"hashtag {said(match[1].strip('_').replace('_', ' ')).lower() or 'underscore'}"


def _handle(match: re.Match[str]) -> str:
    return f"at {said(match[1])}"


_DOTTED_DIGITS: Final = re.compile(r"\d\.\d")
_DOT_WORD: Final = re.compile(r"\.\w")

RULES: Final[tuple[Rule, ...]] = (
    Rule(_URL, _url, re.compile(r"://|www\.", re.I)),
    Rule(_EMAIL, _email, re.compile(r"\w@\w")),
    Rule(
        _HARDWARE, lambda match: _hexadecimal(match[0]), re.compile(r"[0-9A-Fa-f]{2}[:-][0-9A-Fa-f]{2}[:-]")
    ),
    Rule(_IPV6, _ipv6, re.compile(r"::|:[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}:")),
    Rule(_IPV4, _ipv4, re.compile(r"\d\.\d{1,3}\.\d{1,3}\.\d")),
    Rule(_DRIVE, _drive, re.compile(r"\\")),
    Rule(_PATH, _path, re.compile(r"/\w")),
    Rule(_FILE, _file, _DOT_WORD),
    Rule(_DOMAIN, _url, re.compile(r"\.[A-Za-z]{2}|localhost")),
    Rule(_VERSION, _version, re.compile(r"\d\.\d{1,4}\.\d")),
    Rule(_SHORT_VERSION, _short_version, re.compile(r"(?<!\w)v\.? ?\d|(?<!\w)V\d")),
    Rule(_RELEASE, _release, _DOTTED_DIGITS),
    Rule(_SHARP, lambda match: f"{match[1]} sharp", re.compile("#")),
    Rule(_PLUSES, lambda match: padded(match, f"{match[1]} plus plus"), re.compile(r"\+\+")),
    Rule(_HASHTAG, _hashtag, re.compile(r"#\w")),
    Rule(_HANDLE, _handle, re.compile(r"@\w")),
)
