"""Spoken numbers: every page, field and error has digits that can be said on the phone."""

_SPOKEN = dict(zip("0123456789", "零幺二三四五六七八九", strict=True))


class Sentence(str):
    """What a page says, with the number by which a caller names it.

    The text is `template.format(**parts)`; template and parts are kept, so that it can be said in another language.
    """

    number: str
    template: str
    parts: dict

    def __new__(cls, number: str, template: str, /, **parts):
        sentence = super().__new__(cls, template.format(**parts) if parts else template)
        sentence.number, sentence.template, sentence.parts = number, template, parts
        return sentence


def spoken(digits: str) -> str:
    """As it is said on the phone, where 1 is 幺: 2103 → 二幺零三."""
    return "".join(_SPOKEN.get(digit, digit) for digit in digits)


def in_fours(digits: str) -> str:
    """Groups of four, for long numbers: 2026112100047318 → 2026 1121 0004 7318."""
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def masked(text: str) -> str:
    """First 4 and last 4, full length; short texts wholly (DESIGN §9, M76)."""
    hidden = len(text) - 8
    return text[:4] + "*" * hidden + text[-4:] if hidden > 0 else "*" * len(text)
