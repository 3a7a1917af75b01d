"""Numbers of every kind, as people say them."""

from __future__ import annotations

import re

import pytest

from gpu_worker.text.normalization import normalize


def _said(written: str) -> str:
    return normalize(written).text


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("I counted 12 sheep.", "I counted twelve sheep."),
        (
            "There were 1,234,567 of them.",
            "There were one million two hundred thirty-four thousand five hundred sixty-seven of them.",
        ),
        (
            "a city of 1 234 567 souls",
            "a city of one million two hundred thirty-four thousand five hundred sixty-seven souls",
        ),
        ("about 5 000 people", "about five thousand people"),
        ("1,00,000 copies", "one hundred thousand copies"),
        ("1000000000000", "one trillion"),
        ("agent 007", "agent zero zero seven"),
        ("101 dalmatians", "one hundred one dalmatians"),
        ("0 degrees of freedom", "zero degrees of freedom"),
        ("a 5-year-old", "a five-year-old"),
        ("a 3-year plan", "a three-year plan"),
        ("It was -50 outside.", "It was minus fifty outside."),
        ("It was \u221250 outside.", "It was minus fifty outside."),
        ("+5 or ±3", "plus five or plus or minus three"),
        ("1,2,3", "one, two, three"),
        ("1" + "0" * 36, "one undecillion"),
        ("2.5 million people", "two point five million people"),
    ],
)  # fmt: skip
def test_cardinals(written: str, spoken: str) -> None:
    assert _said(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("the 1st of many", "the first of many"),
        ("the 21st century", "the twenty-first century"),
        ("his 1,000th goal", "his one thousandth goal"),
        ("the 2nd and 3rd floors", "the second and third floors"),
        ("the 112th Congress", "the one hundred twelfth Congress"),
        ("the 19th-20th centuries", "the nineteenth to twentieth centuries"),
        ("the 12TH MAN", "the twelfth MAN"),
    ],
)
def test_ordinals(written: str, spoken: str) -> None:
    assert _said(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("pi is 3.14", "pi is three point one four"),
        ("only .5 of it", "only point five of it"),
        ("a p-value of 0.05.", "a p-value of zero point zero five."),
        ("-0.5", "minus zero point five"),
        ("1,234.5", "one thousand two hundred thirty-four point five"),
        ("10.000", "ten point zero zero zero"),
    ],
)
def test_decimals(written: str, spoken: str) -> None:
    assert _said(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("1/2 cups of sugar", "one half cups of sugar"),
        ("3/4 of them", "three quarters of them"),
        ("2 1/3 turns", "two and one third turns"),
        ("5/8", "five eighths"),
        ("½ of it", "one half of it"),
        ("1½ turns", "one and a half turns"),
        ("¼ and ⅔", "one quarter and two thirds"),
        ("1/100", "one one hundredth"),
        ("He works 24/7.", "He works twenty-four seven."),
        ("on 9/11", "on nine eleven"),
        ("a 50/50 chance", "a fifty fifty chance"),
        ("I rate it 8/10.", "I rate it eight out of ten."),
        ("scored 8/10", "scored eight out of ten"),
        ("blood pressure of 120/80", "blood pressure of one hundred twenty over eighty"),
        ("3.5/5 stars", "three point five out of five stars"),
        ("100/4 = 25", "one hundred divided by four equals twenty-five"),
        ("1/2-3/4 cups", "one half to three quarters cups"),
        ("won by 1/4 of a length", "won by one quarter of a length"),
        ("flour, ¾ tsp of salt", "flour, three quarters teaspoon of salt"),
        ("add ½ of it", "add one half of it"),
    ],
)
def test_fractions(written: str, spoken: str) -> None:
    assert _said(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("50% of it", "fifty percent of it"),
        ("3.5 % more", "three point five percent more"),
        ("5–10%", "five to ten percent"),
        ("5%-10%", "five to ten percent"),
        ("2‰", "two per mille"),
        ("-3% and +4%", "minus three percent and plus four percent"),
        ("up 5 percentage points", "up five percentage points"),
        ("100%.", "one hundred percent."),
    ],
)
def test_percentages(written: str, spoken: str) -> None:
    assert _said(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("$1", "one dollar"),
        ("$5.", "five dollars."),
        ("$1,234.56", "one thousand two hundred thirty-four dollars and fifty-six cents"),
        ("$0.99", "ninety-nine cents"),
        ("$.99", "ninety-nine cents"),
        ("$1.01", "one dollar and one cent"),
        ("$20.00", "twenty dollars"),
        ("99¢", "ninety-nine cents"),
        ("$5.3 thousand", "five point three thousand dollars"),
        ("€30.20", "thirty euros and twenty cents"),
        ("30,20 €", "thirty euros and twenty cents"),
        ("£1.50", "one pound and fifty pence"),
        ("50p", "fifty pence"),
        ("$2.5M", "two point five million dollars"),
        ("$3bn", "three billion dollars"),
        ("$1.2 trillion", "one point two trillion dollars"),
        ("$5K", "five thousand dollars"),
        ("-$5", "minus five dollars"),
        ("$-5", "minus five dollars"),
        ("$5/hour", "five dollars per hour"),
        ("$60k/yr", "sixty thousand dollars per year"),
        ("$5-$10", "five to ten dollars"),
        ("$5–10", "five to ten dollars"),
        ("$5-10 million", "five to ten million dollars"),
        ("a $20 bill", "a twenty dollar bill"),
        ("a $3 million deal", "a three million dollar deal"),
        ("for a $5 or so", "for a five dollars or so"),
        ("¥500", "five hundred yen"),
        ("₹250.50", "two hundred fifty rupees and fifty paise"),
        ("100 USD", "one hundred U S dollars"),
        ("USD 100", "one hundred U S dollars"),
        ("US$5 million", "five million U S dollars"),
        ("EUR 5.50", "five euros and fifty cents"),
        ("CHF 20", "twenty Swiss francs"),
        ("A$30 or CA$40", "thirty Australian dollars or forty Canadian dollars"),
        ("five $20 bills", "five twenty dollar bills"),
        ("1.000,50 €", "one thousand euros and fifty cents"),
        ("$1 000 000", "one million dollars"),
        ("₹1,00,000", "one hundred thousand rupees"),
        ("$5 dollars", "five dollars"),
    ],
)
def test_money(written: str, spoken: str) -> None:
    assert _said(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("2025-10-01", "October first, twenty twenty-five"),
        ("2025/10/01", "October first, twenty twenty-five"),
        ("03/04/2025", "March fourth, twenty twenty-five"),
        ("25/12/2024", "December twenty-fifth, twenty twenty-four"),
        ("10/1/25", "October first, twenty twenty-five"),
        ("1 Oct 2025", "the first of October twenty twenty-five"),
        ("the 4 July celebrations", "the fourth of July celebrations"),
        ("Oct. 1, 2025", "October first, twenty twenty-five"),
        ("October 1st", "October first"),
        ("in October 2025", "in October twenty twenty-five"),
        ("the 4th of July", "the fourth of July"),
        ("Mon 12 Jan", "Monday the twelfth of January"),
        ("1.10.2025", "October first, twenty twenty-five"),
        ("Oct 1–5", "October first to fifth"),
        ("May 5–7, 2024", "May fifth to seventh, twenty twenty-four"),
        ("Oct 30 - Nov 2", "October thirtieth to November second"),
        ("2025-10-01T13:42:00Z", "October first, twenty twenty-five at thirteen forty-two U T C"),
        ("You may 5 times a day.", "You may five times a day."),
        ("due 10/31", "due October thirty-first"),
        ("Jan–Mar 2024", "January to March twenty twenty-four"),
        ("In May 12 people came.", "In May twelve people came."),
        ("2 May 2010 – 3 June 2011", "the second of May twenty ten to the third of June twenty eleven"),
        ("from 5/1 to 5/7", "from May first to May seventh"),
        ("Mon-Fri", "Monday to Friday"),
        ("Happy 4th of July!", "Happy fourth of July!"),
    ],
)
def test_dates(written: str, spoken: str) -> None:
    assert _said(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("in 1999", "in nineteen ninety-nine"),
        ("In 1905 and 2007.", "In nineteen oh five and two thousand seven."),
        ("the battle of 1066", "the battle of one thousand sixty-six"),
        ("in 1066", "in ten sixty-six"),
        ("since 2024", "since twenty twenty-four"),
        ("the 2000s", "the two thousands"),
        ("the 1990s", "the nineteen nineties"),
        ("the '90s", "the nineties"),
        ("in his 40s", "in his forties"),
        ("the mid-1980s", "the mid-nineteen eighties"),
        ("class of '05", "class of oh five"),
        ("1990–1995", "nineteen ninety to nineteen ninety-five"),
        ("1990-95", "nineteen ninety to ninety-five"),
        ("1999 people", "one thousand nine hundred ninety-nine people"),
        ("a total of 1500", "a total of one thousand five hundred"),
        ("the 2020 elections", "the twenty twenty elections"),
        ("in 1,999 cases", "in one thousand nine hundred ninety-nine cases"),
        ("44 BC and AD 79", "forty-four B C and A D seventy-nine"),
        ("The year is 1776.", "The year is seventeen seventy-six."),
        ("the 1990s-2000s", "the nineteen nineties to two thousands"),
    ],
)
def test_years(written: str, spoken: str) -> None:
    assert _said(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("10:35 pm", "ten thirty-five p m"),
        ("at 5:03", "at five oh three"),
        ("13:42", "thirteen forty-two"),
        ("by 7 p.m. on Monday", "by seven p m on Monday"),
        ("We met at 7 p.m. She left.", "We met at seven p m. She left."),
        ("at 7am", "at seven a m"),
        ("12:00", "twelve o'clock"),
        ("3:00 PM", "three p m"),
        ("3:00", "three o'clock"),
        ("18:00", "eighteen hundred"),
        ("09:05", "nine oh five"),
        ("00:15", "zero fifteen"),
        ("at 10:35:20", "at ten thirty-five and twenty seconds"),
        ("5 p.m. EST", "five p m E S T"),
        ("14:30 UTC", "fourteen thirty U T C"),
        ("9:00 GMT+2", "nine o'clock G M T plus two"),
        ("9am-5pm", "nine a m to five p m"),
        ("9:00–17:30", "nine to seventeen thirty"),
        ("9-11 am", "nine to eleven a m"),
        ("at 0600 hours", "at oh six hundred hours"),
        ("5 o'clock", "five o'clock"),
        ("(at 5:00 pm EST)", "(at five p m E S T)"),
        ("5:00 p.m. (EST)", "five p m E S T"),
        ("from 9:30 to 10:15 a.m. daily", "from nine thirty to ten fifteen a m daily"),
        ("Psalm 23:1-6", "Psalm twenty-three one to six"),
        ("19:00h", "nineteen hundred hours"),
        ("00:00", "midnight"),
    ],
)
def test_times(written: str, spoken: str) -> None:
    assert _said(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("2h 30m", "two hours thirty minutes"),
        ("1h30", "one hour thirty minutes"),
        ("1h 1m 1s", "one hour one minute one second"),
        ("2h30m15s", "two hours thirty minutes fifteen seconds"),
        ("45s", "forty-five seconds"),
        ("3 min", "three minutes"),
        ("5 hrs", "five hours"),
        ("250ms", "two hundred fifty milliseconds"),
        ("finished in 01:23:45", "finished in one hour twenty-three minutes forty-five seconds"),
        ("1:30:00", "one hour thirty minutes"),
        ("5m 30s", "five minutes thirty seconds"),
    ],
)
def test_durations(written: str, spoken: str) -> None:
    assert _said(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("10-15 kg", "ten to fifteen kilograms"),
        ("1 kg", "one kilogram"),
        ("0.5 km", "zero point five kilometers"),
        ("5 ft 11 in", "five feet eleven inches"),
        ("5'11\"", "five feet eleven inches"),
        ("6' 2\" tall", "six feet two inches tall"),
        ("100 km/h", "one hundred kilometers per hour"),
        ("60 mph", "sixty miles per hour"),
        ("9.8 m/s²", "nine point eight meters per second squared"),
        ("20 m²", "twenty square meters"),
        ("300 sq ft", "three hundred square feet"),
        ("1.2 kg/m³", "one point two kilograms per cubic meter"),
        ("16 GB of RAM", "sixteen gigabytes of RAM"),
        ("100 Mbps", "one hundred megabits per second"),
        ("20°C", "twenty degrees Celsius"),
        ("-5 °F", "minus five degrees Fahrenheit"),
        ("a 45° angle", "a forty-five degree angle"),
        ("220 V", "two hundred twenty volts"),
        ("5 A.", "five amps."),
        ("1013 hPa", "one thousand thirteen hectopascals"),
        ("3x4 m", "three by four meters"),
        ("a 5×7 photo", "a five by seven photo"),
        ("1920x1080", "nineteen twenty by ten eighty"),
        ("a 5 km run", "a five kilometer run"),
        ("a 10-kg bag", "a ten kilogram bag"),
        ("5 in the morning", "five in the morning"),
        ("2 1/2 lbs", "two and a half pounds"),
        ("2.4 GHz", "two point four gigahertz"),
        ("10x faster", "ten times faster"),
        ("200 lbs.", "two hundred pounds."),
        ("8 fl oz", "eight fluid ounces"),
        ("5 kg-10 kg", "five kilograms to ten kilograms"),
        ("120 cm x 80 cm", "one hundred twenty centimeters by eighty centimeters"),
        ("one 500 mg tablet", "one five hundred milligram tablet"),
        ("40° 26′ 46″ N", "forty degrees twenty-six minutes forty-six seconds north"),
        ('a 27" monitor', "a twenty-seven inch monitor"),
        ('the "top 10" list', 'the "top ten" list'),
        ("3.2 million km²", "three point two million square kilometers"),
        ("seat 12A", "seat twelve A"),
    ],
)
def test_measures(written: str, spoken: str) -> None:
    assert _said(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("40–60", "forty to sixty"),
        ("pages 3–7", "pages three to seven"),
        ("p. 3–7", "pages three to seven"),
        ("3-5 days", "three to five days"),
        ("1,000-2,000 people", "one thousand to two thousand people"),
        ("2.5-3.5", "two point five to three point five"),
        ("We won 3-1.", "We won three to one."),
        ("won 4–2", "won four to two"),
        ("2:1 odds", "two to one odds"),
        ("21-14", "twenty-one to fourteen"),
        ("16:9", "sixteen to nine"),
        ("a 9–5 job", "a nine to five job"),
        ("1500-2000 calories", "one thousand five hundred to two thousand calories"),
    ],
)
def test_ranges_and_scores(written: str, spoken: str) -> None:
    assert _said(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("555-123-4567", "five five five, one two three, four five six seven"),
        ("(555) 123-4567", "five five five, one two three, four five six seven"),
        ("+1 (555) 123-4567", "plus one, five five five, one two three, four five six seven"),
        ("1-800-555-0199", "one, eight hundred, five five five, zero one nine nine"),
        ("+44 20 7946 0958", "plus four four, two zero, seven nine four six, zero nine five eight"),
        ("020 7946 0958", "zero two zero, seven nine four six, zero nine five eight"),
        ("555-0199", "five five five, zero one nine nine"),
        ("555-123-4567 ext. 89", "five five five, one two three, four five six seven, extension eight nine"),
        ("Call 911 now.", "Call nine one one now."),
        ("911 people", "nine hundred eleven people"),
        ("1-800-FLOWERS", "one, eight hundred, flowers"),
        ("123-45-6789", "one two three, four five, six seven eight nine"),
        (
            "4111 1111 1111 1111",
            "four one one one, one one one one, one one one one, one one one one",
        ),
        ("postal code: 12345", "postal code: one two three four five"),
        ("zip code 90210", "zip code nine zero two one zero"),
        ("order #12345", "order number one two three four five"),
        ('The card ends in 8876.', 'The card ends in eight eight seven six.'),
        ('The war ended in 1945.', 'The war ended in nineteen forty-five.'),
        ('tel: 555 0123', 'tel: five five five, zero one two three'),
        ('0800 123 4567', 'zero eight zero zero, one two three, four five six seven'),
    ],
)  # fmt: skip
def test_telephone_numbers_and_other_digits(written: str, spoken: str) -> None:
    assert _said(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("2 + 2 = 4", "two plus two equals four"),
        ("2+2=4", "two plus two equals four"),
        ("3 × 4", "three times four"),
        ("2*3", "two times three"),
        ("10 ÷ 2", "ten divided by two"),
        ("10 - 5 = 5", "ten minus five equals five"),
        ("10-5=5", "ten minus five equals five"),
        ("10 − 5", "ten minus five"),
        ("5^2", "five squared"),
        ("10²", "ten squared"),
        ("2^10", "two to the power of ten"),
        ("√16", "square root of sixteen"),
        ("x = 5", "x equals five"),
        ("10 / 2", "ten divided by two"),
        ("6.02 × 10^23", "six point zero two times ten to the power of twenty-three"),
        ("1.5e10", "one point five times ten to the power of ten"),
        ("x=-5", "x equals minus five"),
        ("f(x) = 2x + 1", "f(x) equals two x plus one"),
        ("5 x 5 = 25", "five times five equals twenty-five"),
        ("10^-3", "ten to the power of minus three"),
        ("a 4.5-fold rise (n = 24)", "a four point five-fold rise (n equals twenty-four)"),
    ],
)
def test_arithmetic(written: str, spoken: str) -> None:
    assert _said(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("No. 5", "number five"),
        ("#1", "number one"),
        ("Apollo 11", "Apollo eleven"),
        ("Route 66", "Route sixty-six"),
        ("the iPhone 15", "the iPhone fifteen"),
        ("room 404", "room four oh four"),
        ("10+ years", "ten plus years"),
        ("10k steps", "ten thousand steps"),
        ("5M users", "five million users"),
        ("a 401(k)", "a four oh one k"),
        ("Boeing 747", "Boeing seven forty-seven"),
        ("Highway 101", "Highway one oh one"),
        ("F-16s", "F sixteens"),
        ("Boeing 737-800", "Boeing seven thirty-seven eight hundred"),
        ("1600 Pennsylvania Avenue", "sixteen hundred Pennsylvania Avenue"),
        ("404 error", "four oh four error"),
        ("0x1F", "zero x one F"),
    ],
)
def test_serials_and_names(written: str, spoken: str) -> None:
    assert _said(written) == spoken


@pytest.mark.parametrize(
    "text",
    ["1" * 3000, "1,1" * 1000, "1-1" * 1000, "$" * 3000,
        "1:1" * 1000, "\u0661\u0662/\u0663", "1/0", "0/0", "²" * 50, "½½", "1.1.1.1.1.1"],
)  # fmt: skip
def test_hostile_numbers_are_said_somehow(text: str) -> None:
    assert not re.search(r"\d", _said(text))
