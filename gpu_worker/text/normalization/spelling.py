"""How names inside addresses, file names and tags are said: words as words, the rest letter by letter."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from gpu_worker.text.normalization.acronym_words import SAID, SPELLED, WORDS
from gpu_worker.text.normalization.numerals import word_set
from gpu_worker.text.normalization.words import cardinal, digits, year

_PART: Final = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_]+|.", re.S)
_VOWEL: Final = re.compile(r"[aeiouy]", re.I)
_CONSONANTS: Final = re.compile(r"[b-df-hj-np-tv-xz]+")
_ONSETS: Final = word_set(
    """
    bl br ch chl chr cl cr cz dr dw fj fl fr gh gl gn gr kh kl kn kr ll mc ph phl phr pl pr ps pt rh sc
    sch schl schm schn schr schw scr sh shr sk sl sm sn sp spl spr st str sv sw th thr thw tr ts tw vl wh
    wr zh zw
    """
)
_CODAS: Final = word_set(
    """
    bb ch ck ct cht dd dge ff ft gg gh ght gn ld lf lk ll lm ln lp lph lsh lt lth lch lv mb mm mn mp mph
    mpt nc nch nd ng ngth nk nn nt nth nx nz pp ph pt rb rc rch rd rf rg rk rl rld rm rmth rn rp rph rr
    rsh rst rt rth rtz rv sch sh sk sm sp ss st sth tch th tt tz wd wk wl wn wth xt xth zz ltz lz
    """
)

_SPELLED: Final = word_set(
    """
    abc ai api ascii aws bmp btc cfg cia cpu crm css csv ctrl dll dns doi eu exe faq fbi fm gpu hiv html
    http https ibm id ini ios ip iso js kde lan mba mit mpg nba nfl nhl npm nsa nyc odt ogg pc pdf php png
    ppt ppu psd rgb rss sdk sql ssh ssl svg tls tsv ttf tts tv txt uae ui uk url usa usb ux vip vpn vps
    www xls xlsx xml yml aac avi docx pptx epub mkv mp md py rb ts cpp cs jsx tsx ipynb
    """
)
# Two letters are spelled but for these.
_SHORT_WORDS: Final = word_set(
    """
    ad ah am an as at ax be by do ed el go ha he hi ho if in is it jo la lo ma me mo mr mu my no of oh ok
    on or ox pa pi re sh so to up we yo co al bo ra ro li su yu de le
    """
)


@lru_cache(maxsize=4096)
def pronounceable(word: str) -> bool:
    """Whether English letters in this order can be said as a word."""
    word = word.lower()
    head = "y" if word[:1] == "y" else ""
    runs = list(_CONSONANTS.finditer(word, len(head)))
    if not runs:
        return len(word) < 4
    if runs[0].end() - runs[0].start() == len(word):
        return False
    if "q" in word.replace("qu", ""):
        return False
    first, last = runs[0], runs[-1]
    if first.start() == 0 and len(first[0]) > 1 and first[0] not in _ONSETS:
        return False
    if last.end() == len(word) and not _is_coda(last[0]):
        return False
    return all(len(run[0]) <= 4 for run in runs)


def _is_coda(run: str) -> bool:
    return len(run) == 1 or run in _CODAS or (run[-1] == "s" and (len(run) == 2 or run[:-1] in _CODAS))


def spelled(letters: str) -> str:
    """The letters one by one: 'FBI' is 'F B I'."""
    return " ".join(letters)


def number_in_name(written: str) -> str:
    """A run of digits in a name: short ones as a number, a year as a year, others digit by digit."""
    if len(written) == 4 and written[:2] in ("19", "20"):
        return year(int(written))
    if written[0] != "0" and (len(written) < 3 or (len(written) < 5 and written.endswith("00"))):
        return cardinal(int(written))
    return digits(written)


def name(written: str) -> str:
    """A name without separators: 'johnDoe99' is 'john Doe ninety-nine', 'mp3' 'm p three'."""
    return " ".join(_part(part) for part in _PART.findall(written))


def _is_word(capitals: str) -> bool:
    return (
        capitals not in SPELLED
        and (capitals.lower() in WORDS or capitals in SAID or len(capitals) == 4)
        and (pronounceable(capitals))
    )


def _part(part: str) -> str:
    if part.isascii() and part.isdigit():
        return number_in_name(part)
    if not part.isascii() or not part.isalpha() or len(part) == 1:
        return part
    lower = part.lower()
    if part.isupper() and len(part) < 5:
        return part if lower in _SHORT_WORDS or _is_word(part) else spelled(part)
    if len(part) == 2 and part.islower():
        return part if lower in _SHORT_WORDS else spelled(part)
    known = lower in _SPELLED and not part.istitle()
    return spelled(part) if known or not _VOWEL.search(part) else part
