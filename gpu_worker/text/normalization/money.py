"""Amounts of money, with magnitudes and cents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gpu_worker.text.normalization import units, words
from gpu_worker.text.normalization.numerals import DASH, PLAIN, SPACE, is_attributive, next_word, word_set
from gpu_worker.text.rewriting import Rule


@dataclass(frozen=True, slots=True)
class _Currency:
    """A major unit and its hundredth, both in the singular; a currency without cents has none."""

    major: str
    minor: str = ""
    majors: str = ""
    minors: str = ""

    def named(self, spoken: str, *, one: bool) -> str:
        return f"{spoken} {self.major if one else self.majors or words.plural(self.major)}"

    def cents(self, n: int) -> str:
        return f"{words.cardinal(n)} {self.minor if n == 1 else self.minors or words.plural(self.minor)}"


_DOLLAR: Final = _Currency("dollar", "cent")
_POUND: Final = _Currency("pound", "penny")
_EURO: Final = _Currency("euro", "cent")
_YEN: Final = _Currency("yen", majors="yen")
_YUAN: Final = _Currency("yuan", majors="yuan")
_RUPEE: Final = _Currency("rupee", "paisa", minors="paise")
_CURRENCIES: Final = {
    "$": _DOLLAR,
    "US$": _Currency("U S dollar", "cent"),
    "USD": _Currency("U S dollar", "cent"),
    "£": _POUND,
    "GBP": _Currency("British pound", "penny"),
    "€": _EURO,
    "EUR": _EURO,
    "¥": _YEN,
    "\uffe5": _YEN,
    "JPY": _Currency("Japanese yen", majors="Japanese yen"),
    "CNY": _YUAN,
    "RMB": _YUAN,
    "CN¥": _YUAN,
    "₹": _RUPEE,
    "Rs": _RUPEE,
    "Rs.": _RUPEE,
    "INR": _Currency("Indian rupee", "paisa", minors="paise"),
    "CHF": _Currency("Swiss franc", "centime"),
    "₩": _Currency("won", majors="won"),
    "KRW": _Currency("Korean won", majors="Korean won"),
    "₽": _Currency("ruble", "kopeck"),
    "RUB": _Currency("Russian ruble", "kopeck"),
    "₺": _Currency("lira", "kurus", minors="kurus"),
    "₿": _Currency("bitcoin", majors="bitcoin"),
    "BTC": _Currency("bitcoin", majors="bitcoin"),
    "ETH": _Currency("ether", majors="ether"),
    "₫": _Currency("dong", majors="dong"),
    "₪": _Currency("shekel", "agora", minors="agorot"),
    "ILS": _Currency("Israeli shekel", "agora", minors="agorot"),
    "฿": _Currency("baht", majors="baht"),
    "THB": _Currency("Thai baht", majors="Thai baht"),
    "₴": _Currency("hryvnia", majors="hryvnia"),
    "UAH": _Currency("hryvnia", majors="hryvnia"),
    "₱": _Currency("peso", "centavo"),
    "PHP": _Currency("Philippine peso", "centavo"),
    "₦": _Currency("naira", "kobo", majors="naira", minors="kobo"),
    "CA$": _Currency("Canadian dollar", "cent"),
    "CAD": _Currency("Canadian dollar", "cent"),
    "A$": _Currency("Australian dollar", "cent"),
    "AUD": _Currency("Australian dollar", "cent"),
    "NZ$": _Currency("New Zealand dollar", "cent"),
    "NZD": _Currency("New Zealand dollar", "cent"),
    "HK$": _Currency("Hong Kong dollar", "cent"),
    "HKD": _Currency("Hong Kong dollar", "cent"),
    "S$": _Currency("Singapore dollar", "cent"),
    "SGD": _Currency("Singapore dollar", "cent"),
    "TWD": _Currency("Taiwan dollar", "cent"),
    "R$": _Currency("Brazilian real", "centavo", majors="Brazilian reais"),
    "BRL": _Currency("Brazilian real", "centavo", majors="Brazilian reais"),
    "MX$": _Currency("Mexican peso", "centavo"),
    "MXN": _Currency("Mexican peso", "centavo"),
    "ZAR": _Currency("rand", "cent", majors="rand"),
    "SEK": _Currency("Swedish krona", "ore", majors="Swedish kronor", minors="ore"),
    "NOK": _Currency("Norwegian krone", "ore", majors="Norwegian kroner", minors="ore"),
    "DKK": _Currency("Danish krone", "ore", majors="Danish kroner", minors="ore"),
    "kr": _Currency("krone", "ore", majors="kroner", minors="ore"),
    "PLN": _Currency("Polish zloty", "grosz", majors="Polish zloty", minors="groszy"),
    "TRY": _Currency("Turkish lira", "kurus", minors="kurus"),
    "AED": _Currency("dirham", majors="dirhams"),
    "SAR": _Currency("Saudi riyal"),
    "CZK": _Currency("Czech koruna", majors="Czech koruna"),
    "HUF": _Currency("Hungarian forint"),
}
_CURRENCIES.update({"C$": _CURRENCIES["CA$"], "AU$": _CURRENCIES["A$"]})

_SCALES: Final = {
    "k": "thousand", "K": "thousand", "m": "million", "M": "million", "mn": "million", "mln": "million",
    "MM": "million", "mm": "million", "mil": "million", "b": "billion", "B": "billion", "bn": "billion",
    "Bn": "billion", "bln": "billion", "t": "trillion", "T": "trillion", "tn": "trillion", "trn": "trillion",
}  # fmt: skip
_SCALE: Final = (
    rf"(?:{SPACE}(?P<{{0}}_word>hundred|thousand|million|billion|trillion|quadrillion|bn|mn|mln|bln|tn"
    rf"|trn|[bmBMkK](?![\w'-]))(?:s(?={SPACE}of))?\b"
    rf"|-(?P<{{0}}_joined>thousand|million|billion|trillion)\b|"
    rf"(?P<{{0}}_letter>{'|'.join(sorted(_SCALES, key=len, reverse=True))})(?!\w))?"
)
_PRICED: Final = word_set(
    "bill bills note notes coin coins bailout deal deals budget prize loan fine fee grant investment "
    "package project fund contract settlement cheque lawsuit voucher coupon jackpot tip donation"
)
_SIGN: Final = r"[-\u2212+±]?"
_BEFORE: Final = r"(?:US|CA|AU|NZ|HK|MX|[CASR])?\$|CN¥|[£€¥\uffe5₹₩₽₺₿₫₪฿₴₱₦]"
_CODE: Final = (
    r"USD|EUR|GBP|JPY|CHF|AUD|CAD|NZD|HKD|SGD|TWD|INR|CNY|RMB|KRW|RUB|SEK|NOK|DKK|PLN|MXN|BRL|ZAR|THB"
    r"|PHP|ILS|UAH"
    r"|AED|SAR|CZK|HUF|BTC|ETH"
)
# Continental decimals after a comma, as in '30,20 €'.
_INDIAN: Final = r"[0-9]{1,2}(?:,[0-9]{2}){1,6},[0-9]{3}(?![0-9])(?:\.[0-9]{1,2})?"
_SPACED: Final = (
    r"[1-9][0-9]{0,2}(?:(?:[\u00a0\u2009\u202f][0-9]{3}){1,6}|(?: [0-9]{3}){2,6}| 000)(?![0-9])"
    r"(?:\.[0-9]{1,2})?"
)
_CONTINENTAL: Final = r"[0-9]{1,3}(?:\.[0-9]{3}){1,5},[0-9]{2}(?![0-9,.])"
_AMOUNT: Final = rf"(?:{_CONTINENTAL}|[0-9]{{1,6}},[0-9]{{2}}(?![0-9,.])|{_INDIAN}|{_SPACED}|{PLAIN})"
_PER: Final = r"(?:[/\u2044](?P<below>[A-Za-z]{1,9})(?:\^?(?P<below_power>[23\u00b2\u00b3]))?(?![\w/]))?"
_SEPARATOR: Final = re.compile(r"[,\s]")
_MINOR: Final = re.compile(r",[0-9]{2}")


def _front(symbol: str) -> str:
    return (
        rf"(?P<sign>{_SIGN})(?P<symbol>{symbol}){SPACE}?(?P<inner>[-\u2212]?)"
        rf"(?P<low>{_AMOUNT}){_SCALE.format('low')}"
        rf"(?:{SPACE}?{DASH}{SPACE}?(?:(?P=symbol){SPACE}?)?"
        rf"(?P<high>{_AMOUNT}){_SCALE.format('high')})?{_PER}(?![0-9])"
    )


_SYMBOL_FIRST: Final = re.compile(
    rf"(?<![\w$])(?:{_front(_BEFORE)})(?:{SPACE}(?:(?P<code>{_CODE})|dollars|pounds|euros|yen)\b)?"
)
_CODE_FIRST: Final = re.compile(rf"(?<![\w$])(?:{_front(rf'(?:{_CODE})|Rs[.]?')})")
_SYMBOL_LAST: Final = re.compile(
    rf"(?<!\w)(?<![0-9][.,])(?P<sign>{_SIGN})(?P<inner>)(?P<low>{_AMOUNT})(?:{SPACE}?{DASH}{SPACE}?"
    rf"(?P<high>{_AMOUNT}))?{_SCALE.format('low')}(?P<high_word>)(?P<high_joined>)(?P<high_letter>)"
    rf"{SPACE}?(?:(?P<symbol>[$£€¥₹₩₽₺₿₫₪฿₴₱₦]|(?:{_CODE}|TRY|kr)\b)){_PER}"
)
_CENTS: Final = re.compile(
    rf"(?<!\w)(?<![0-9][.,])(?P<low>{PLAIN})(?:{SPACE}?{DASH}{SPACE}?(?P<high>{PLAIN}))?(?:{SPACE}?¢|"
    rf"(?P<pence>p)(?!\w))"
)


def _scale(match: re.Match[str], group: str) -> str:
    scale = match[f"{group}_word"] or match[f"{group}_joined"] or match[f"{group}_letter"] or ""
    return _SCALES.get(scale, scale)


def _amount(written: str, scale: str, currency: _Currency, *, singular: bool) -> str:
    plain = (
        written.replace(".", "").replace(",", ".")
        if _MINOR.fullmatch(written[-3:])
        else _SEPARATOR.sub("", written)
    )
    whole, _, part = plain.partition(".")
    if scale:
        return currency.named(f"{words.decimal(plain)} {scale}", one=singular)
    part = part.rstrip("0") if len(part) > 2 else part
    if len(part) == 1:
        part += "0"
    if len(part) == 2 and currency.minor:
        return _major_and_minor(whole, int(part), currency, singular=singular)
    if part and part.strip("0"):
        return currency.named(words.decimal(plain), one=singular)
    return currency.named(words.whole(whole), one=singular or whole == "1")


def _major_and_minor(whole: str, cents: int, currency: _Currency, *, singular: bool) -> str:
    if not whole.strip("0") and cents:
        return currency.cents(cents)
    spoken = currency.named(words.whole(whole or "0"), one=whole == "1" or (singular and not cents))
    return f"{spoken} and {currency.cents(cents)}" if cents else spoken


def _is_attributive(match: re.Match[str]) -> bool:
    if match.string.startswith("-a-", match.end()):
        return True
    return is_attributive(match) or next_word(match) in _PRICED


def _say(match: re.Match[str]) -> str | None:
    groups = match.groupdict()
    currency = _CURRENCIES[groups.get("code") or match["symbol"]]
    below = ""
    if match["below"]:
        unit = units.per(match["below"], match["below_power"] or "") or match["below"].lower()
        below = f" per {unit}"
    low_scale, high_scale = _scale(match, "low"), _scale(match, "high")
    joined = match["low_joined"] or match["high_joined"]
    singular = bool(joined) or _is_attributive(match)
    sign = "minus " if (match["sign"] or match["inner"]) in ("-", "\u2212") else ""
    sign = {"+": "plus ", "±": "plus or minus "}.get(match["sign"], sign)
    if match["high"] is None:
        if "." in match["low"] and not low_scale and _SCALED_AFTER.match(match.string, match.end()):
            return sign + words.number(match["low"])
        return sign + _amount(match["low"], low_scale, currency, singular=singular) + below
    high = _amount(
        match["high"],
        high_scale or (low_scale if not match["low_letter"] else ""),
        currency,
        singular=singular,
    )
    if (low_scale and low_scale != high_scale and high_scale) or ("." in match["low"] and not high_scale):
        low = _amount(match["low"], low_scale, currency, singular=singular)
    else:
        low = words.number(match["low"])
    return f"{sign}{low} to {high}{below}"


def _say_cents(match: re.Match[str]) -> str | None:
    if match["pence"]:
        if not match["low"].isdigit() or len(match["low"]) > 2:
            return None
        currency = _POUND
    else:
        currency = _DOLLAR
    last = match["high"] or match["low"]
    spoken = words.number(last)
    unit = currency.minor if spoken == "one" else currency.minors or words.plural(currency.minor)
    low = f"{words.number(match['low'])} to " if match["high"] else ""
    return f"{low}{spoken} {unit}"


# The scale of the second amount is that of the first: 'between $1.5 and $2 million'.
_SCALED_AFTER: Final = re.compile(
    r" (?:and|to|or) [$£€][0-9.,]{1,9} ?(?:million|billion|trillion|[mb]n?\b|M\b|B\b)"
)
_ANY_SYMBOL: Final = "[$£€¥\uffe5₹₩₽₺₿₫₪฿₴₱₦]"
_ANY_CODE: Final = re.compile(rf"\b(?:{_CODE}|Rs)(?![A-Za-z])")

RULES: Final[tuple[Rule, ...]] = (
    Rule(_SYMBOL_FIRST, _say, re.compile(_ANY_SYMBOL)),
    Rule(_CODE_FIRST, _say, _ANY_CODE),
    Rule(_SYMBOL_LAST, _say, re.compile(rf"[0-9a-z]{SPACE}?(?:{_ANY_SYMBOL}|(?:{_CODE}|TRY|kr)\b)")),
    Rule(_CENTS, _say_cents, re.compile(rf"[0-9](?:{SPACE}?¢|p(?!\w))")),
)
