"""Texts as people send them: prose with figures, names, quotations and headings."""

from __future__ import annotations

_PARAGRAPHS = (
    "Chapter {number}",
    "The harbour was quiet when Dr. Lindqvist came down the steps at 6:45 am, carrying two crates and a "
    "letter. “You are early,” said the ferryman. “The boat leaves at seven, as it has since 1987.”",
    "She counted her coins: $4.50, which was less than the fare. Would he wait? He would not; he never did. "
    "Still, the wind had turned, the fog lay over the water like wool, and nobody else stood on the quay, so "
    "the two of them talked about the winter, about the price of diesel (up 12% since May), and about the "
    "lighthouse that had been sold to a company from the mainland.",
    "At half past seven the engine started. It coughed once, twice, and then ran as evenly as a clock. "
    "Gulls rose from the roofs. Somewhere behind the warehouses a dog barked, and a door fell shut.",
    "“Tell me,” she said after a while, “what did they want with it?” The ferryman shrugged. No one knew. "
    "There had been plans, of course: a hotel with 24 rooms, a museum, even a school. None of it came.",
)


def prose(characters: int) -> str:
    """A text of exactly so many characters, in chapters and paragraphs."""
    parts: list[str] = []
    length = number = 0
    while length < characters:
        number += 1
        chapter = "\n\n".join(_PARAGRAPHS).format(number=number) + "\n\n"
        parts.append(chapter)
        length += len(chapter)
    return "".join(parts)[:characters]
