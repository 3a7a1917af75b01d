"""Texts of every day in which a sign or an abbreviation has more than one meaning."""

from __future__ import annotations

import pytest

from gpu_worker.text.normalization import normalize


def check(written: str, spoken: str) -> None:
    assert " ".join(normalize(written).text.split()).casefold() == spoken.casefold()


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("exp. 12/26", "expires December twenty twenty-six"),
        ("valid thru 09/28", "valid thru September twenty twenty-eight"),
        ("Offer expires 12/26.", "Offer expires December twenty-sixth."),
        ("from Oct. 1 through Dec. 31", "from October first through December thirty-first"),
        ("from 3/1 through 3/5", "from March first through March fifth"),
        ("Growth in Q1'24 rose", "Growth in Q one twenty twenty-four rose"),
        ("(c. AD 30)", "(circa A D thirty)"),
        ("Tues. 3/12 at 2:30pm", "Tuesday, March twelfth at two thirty p m"),
        ("On Monday 3/4 of them left", "On Monday three quarters of them left"),
        ("Open 24/7/365.", "Open twenty-four seven, three sixty-five."),
        ("2 h. 30 s later", "two hours. thirty seconds later"),
        ("2 hr. 30 min. later", "two hours thirty minutes later"),
        ("a goal in 45+2'", "a goal in forty-five plus two minutes"),
        ("Gen. 1:1 and 2 Sam. 7:12", "Genesis one one and second Samuel seven twelve"),
    ],
)
def test_dates_and_times(written: str, spoken: str) -> None:
    check(written, spoken)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("8W shoes", "eight W shoes"),
        ("an 8W bulb", "an eight watt bulb"),
        ("2A, 2B or not 2B", "two A, two B or not two B"),
        ("2A, 3A and 5A fuses", "two amps, three amps and five amps fuses"),
        ("911", "nine one one"),
        ("We got 911 responses.", "We got nine hundred eleven responses."),
        ("a 3/5 majority", "a three fifths majority"),
        ("a 3/5 from me", "a three out of five from me"),
        ('3/4" bolts', "three quarter inch bolts"),
        ("3/4-inch pipe", "three quarter-inch pipe"),
        ("2-1/2 inches", "two and a half inches"),
        ("2-1 up", "two to one up"),
        ("The part is XJ-900-7.", "The part is X J nine hundred seven."),
        ("Flight BA 117 departs.", "Flight B A one seventeen departs."),
        ("The flight carried 117 passengers.", "The flight carried one hundred seventeen passengers."),
        ("We are No 1 here.", "We are number one here."),
        ("no 2 people agree", "no two people agree"),
        ("He said no. 5 minutes later", "He said no. five minutes later"),
        ("He is no. 5 here", "He is number five here"),
        ("Table 2-1 and Figures 2-4", "Table two dash one and Figures two to four"),
        ("5m people at 5m deep", "five million people at five meters deep"),
        ("a $50/month plan", "a fifty dollar per month plan"),
        ("1.234.000,5", "one million two hundred thirty-four thousand point five"),
        ("Answer Q1-Q5.", "Answer Q one to Q five."),
        ("a card ending in 4242", "a card ending in four two four two"),
    ],
)
def test_numbers_that_are_names_or_amounts(written: str, spoken: str) -> None:
    check(written, spoken)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Sr. Garcia", "senior Garcia"),
        ("Sr. Agnes of the convent", "sister Agnes of the convent"),
        ("Sr. Vice President", "senior Vice President"),
        ("Malcolm X. Then he slept.", "Malcolm X. Then he slept."),
        ("George W. Bush", "George W Bush"),
        ("Inc.", "incorporated"),
        ("Ste. 200", "suite two hundred"),
        ("Ste. Marie", "sainte Marie"),
        ("yes/no", "yes or no"),
        ("in the U.S. He's here", "in the U S. He's here"),
        ("Ask Mar. Don't wait.", "Ask Mar. Don't wait."),
        ("St. Will's church", "saint Will's church"),
    ],
)
def test_abbreviations(written: str, spoken: str) -> None:
    check(written, spoken)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("$ pip3 install it", "pip three install it"),
        ("The $ fell again", "The dollars fell again"),
        ("a List<String> here", "a List of String here"),
        ("Map<String, List<Integer>> m", "Map of String, List of Integer m"),
        ("x<y and y>z", "x less than y and y greater than z"),
        ("if a<b and c>d then", "if a less than b and c greater than d then"),
        ("a 5* hotel", "a five star hotel"),
        ("5*. *Terms apply", "five. Terms apply"),
        ("the # of people", "the number of people"),
        ("Registered® goods", "Registered goods"),
        ("30 miles/gal", "thirty miles per gallon"),
    ],
)
def test_signs(written: str, spoken: str) -> None:
    check(written, spoken)
