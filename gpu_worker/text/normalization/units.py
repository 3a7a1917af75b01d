"""Units of measure: how their symbols are said."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from gpu_worker.text.normalization.words import plural

# 'mile| per hour': the plural is made before the bar. A leading '=' marks a unit without a plural.
_PLAIN: Final = {
    "in": "inch", "ft": "foot", "yd": "yard", "yds": "yard", "yrd": "yard", "mi": "mile",
    "nmi": "nautical mile",
    "lb": "pound", "lbs": "pound", "oz": "ounce", "st": "=stone", "fl oz": "fluid ounce", "gal": "gallon",
    "qt": "quart", "pt": "pint", "tsp": "teaspoon", "tbsp": "tablespoon", "cc": "cubic centimeter",

    "Tbsp": "tablespoon", "tbs": "tablespoon", "Tbs": "tablespoon", "TBSP": "tablespoon", "Tsp": "teaspoon",
    "ha": "hectare", "t": "ton", "cwt": "=hundredweight", "pts": "point", "reps": "rep", "gr": "gram",
    "kgs": "kilogram", "kms": "kilometer",
    "cms": "centimeter", "mins": "minute", "min": "minute", "sec": "second", "secs": "second", "hr": "hour",
    "hrs": "hour", "h": "hour", "yr": "year", "yrs": "year", "wk": "week", "wks": "week", "mo": "month",
    "mos": "month", "s": "second", "mph": "mile| per hour", "kph": "kilometer| per hour",
    "kmh": "kilometer| per hour", "kmph": "kilometer| per hour", "fps": "frame| per second",
    "rpm": "revolution| per minute", "bpm": "beat| per minute", "psi": "pound| per square inch",
    "dpi": "dot| per inch", "ppi": "pixel| per inch", "mpg": "mile| per gallon", "ppm": "part| per million",
    "ppb": "part| per billion", "mmHg": "millimeter| of mercury", "inHg": "inch| of mercury",
    "atm": "atmosphere",
    "kn": "knot", "kt": "knot", "kts": "knot", "hp": "=horsepower", "px": "pixel", "MP": "megapixel",
    "mAh": "milliamp hour", "Ah": "amp hour", "cal": "calorie", "kcal": "kilocalorie", "Cal": "calorie",
    "eV": "electron volt", "keV": "kiloelectron volt", "MeV": "megaelectron volt", "GeV": "gigaelectron volt",
    "dB": "decibel", "dBA": "decibel", "lm": "lumen", "lx": "=lux", "cd": "candela", "K": "=kelvin",
    "\u2126": "ohm", "\u03a9": "ohm", "k\u03a9": "kilohm", "M\u03a9": "megohm", "mcg": "microgram",
    "ug": "microgram", "us": "microsecond", "um": "micrometer", "B": "byte", "Bq": "becquerel",
    "Sv": "sievert",
    "mSv": "millisievert", "Gy": "gray", "T": "tesla", "Nm": "newton meter", "N\u00b7m": "newton meter",
    "mol": "mole", "mmol": "millimole", "M": "molar", "ly": "light year", "pc": "parsec", "kpc": "kiloparsec",
    "AU": "astronomical unit", "rad": "radian", "sr": "steradian", "kOhm": "kilohm", "ohm": "ohm",
    "Ohm": "ohm",
    "kbit": "kilobit", "Kbit": "kilobit", "Mbit": "megabit", "Gbit": "gigabit", "Tbit": "terabit",
    "KB": "kilobyte", "KiB": "kibibyte", "MiB": "mebibyte", "GiB": "gibibyte", "TiB": "tebibyte",
    "Kb": "kilobit", "kmol": "kilomole", "IU": "international unit", "bp": "basis point",
    "bps": "bit| per second",
    "kbps": "kilobit| per second", "Kbps": "kilobit| per second", "Mbps": "megabit| per second",
    "Gbps": "gigabit| per second", "Tbps": "terabit| per second", "mbps": "megabit| per second",
    "gbps": "gigabit| per second", "KBps": "kilobyte| per second", "MBps": "megabyte| per second",
    "GBps": "gigabyte| per second", "gb": "gigabyte", "mb": "megabyte", "kb": "kilobyte", "tb": "terabyte",
    "khz": "=kilohertz", "mhz": "=megahertz", "ghz": "=gigahertz", "hz": "=hertz", "kwh": "kilowatt hour",
    "KW": "kilowatt", "KG": "kilogram", "Kg": "kilogram", "KM": "kilometer", "Km": "kilometer",
    "ML": "milliliter",
    "MM": "millimeter", "CM": "centimeter", "FT": "foot", "LBS": "pound", "OZ": "ounce",
    "MPH": "mile| per hour",
    "RPM": "revolution| per minute", "lbf": "pound force", "gsm": "gram| per square meter",
}  # fmt: skip
_PREFIXES: Final = {
    "n": "nano", "\u00b5": "micro", "\u03bc": "micro", "m": "milli", "c": "centi", "d": "deci", "h": "hecto",
    "k": "kilo", "M": "mega", "G": "giga", "T": "tera", "P": "peta", "E": "exa", "": "",
}  # fmt: skip
_PREFIXED: Final = (
    ("n\u00b5\u03bcmcdk", "m", "meter"),
    ("n\u00b5\u03bcmk", "g", "gram"),
    ("n\u00b5\u03bcm", "s", "second"),
    ("\u00b5\u03bcmcdhk", "l", "liter"),
    ("\u00b5\u03bcmcdhk", "L", "liter"),
    ("\u00b5\u03bcmkMGT", "W", "watt"),
    ("kMGT", "Wh", "watt hour"),
    ("n\u00b5\u03bcmkM", "V", "volt"),
    ("n\u00b5\u03bcmk", "A", "amp"),
    ("kMGT", "Hz", "=hertz"),
    ("kMG", "J", "joule"),
    ("hkMG", "Pa", "pascal"),
    ("mkM", "N", "newton"),
    ("p\u00b5\u03bcn", "F", "farad"),
    ("m", "bar", "bar"),
    ("kMGTPE", "B", "byte"),
    ("kMGT", "b", "bit"),
)
_POWERS: Final = {"\u00b2": "square ", "2": "square ", "\u00b3": "cubic ", "3": "cubic "}
_DENOMINATORS: Final = {
    "day": "day", "d": "day", "week": "week", "month": "month", "year": "year", "hour": "hour",
    "minute": "minute",
    "second": "second", "y": "year", "a": "year", "person": "person", "head": "head", "mile": "mile",
    "m": "meter",
    "capita": "capita", "unit": "unit", "item": "item", "piece": "piece", "user": "user", "seat": "seat",
    "night": "night", "page": "page", "word": "word", "student": "student", "child": "child",
    "share": "share",
    "barrel": "barrel", "ton": "ton", "tonne": "tonne", "gallon": "gallon", "kilo": "kilo", "pound": "pound",
    "liter": "liter", "litre": "litre", "acre": "acre", "token": "token", "request": "request", "ea": "each",
    "sqft": "square foot", "sqm": "square meter", "serving": "serving", "game": "game", "call": "call",
}  # fmt: skip


def _with_prefixes() -> dict[str, str]:
    units = dict(_PLAIN)
    for prefixes, symbol, name in _PREFIXED:
        for prefix in ("", *prefixes):
            mark = "=" if name.startswith("=") else ""
            spoken = f"{mark}{_PREFIXES.get(prefix, 'pico')}{name.removeprefix('=')}"
            units.setdefault(prefix + symbol, spoken)
    return units


_UNITS: Final = _with_prefixes()


def find(symbol: str, power: str = "") -> str | None:
    """The unit of `symbol`, to be said by `spoken`; None if it is not one.

    `power` is '', '2', '3', '²' or '³'.
    """
    unit = _UNITS.get(symbol)
    if unit is None:
        return None
    return _POWERS[power] + unit if power else unit


def per(symbol: str, power: str = "") -> str | None:
    """What comes after 'per' for a unit or noun below a slash."""
    if power and symbol in ("s", "sec", "h", "hr"):
        return f"{_UNITS[symbol]} {'squared' if power in ('2', '²') else 'cubed'}"
    unit = _DENOMINATORS.get(symbol)
    if unit is None or power:
        unit = find(symbol, power)
    return spoken(unit, plural_form=False) if unit else None


@lru_cache(maxsize=512)
def spoken(unit: str, *, plural_form: bool) -> str:
    """`unit` in the singular or plural: 'miles per hour', 'square meter', 'hertz'."""
    if unit.startswith("="):
        return unit[1:]
    head, _, tail = unit.partition("|")
    return (plural(head) if plural_form else head) + tail
