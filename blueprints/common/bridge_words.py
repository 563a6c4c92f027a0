"""What the card bridge (读卡程序) reported, in words: it tells the portal a page and an outcome number, never more.

The words are the bridge's own. Its list is kept as a file, since the two programs share no code:
`eport-card-bridge --list-outcomes > data/card_outcomes.json`.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from .numbers import Sentence

FILE = Path(__file__).parents[2] / "data" / "card_outcomes.json"
UNKNOWN_PART = re.compile(r"\{\w+\}")


@dataclass(frozen=True)
class CardWords:
    """One line of the helpdesk's table: the spoken number, what the caller sees, what to ask, what to do."""

    number: str
    sentence: str
    question: str
    mend: str


def _read() -> dict[int, CardWords]:
    """{number that the bridge tells: words}. What only the bridge knows (tries left, port) is left open as …"""
    return {
        row["number"]: CardWords(
            str(row["shown"]), UNKNOWN_PART.sub("…", row["sentence"]), row["question"], row["mend"]
        )
        for row in json.loads(FILE.read_text("utf-8"))
    }


PAGES = ("entry", "pin", "signing")
WORDS = _read()
OUTCOMES = {
    number: Sentence(words.number, "读卡程序：{words}", words=words.sentence) for number, words in WORDS.items()
}
"""What page 3004 says of a report; two things it says in its own words, since the user reads it at another place."""
OUTCOMES[100] = Sentence("9700", "读卡程序：卡已经确认完，请看网页上的结果。")
OUTCOMES |= {
    130 + left: Sentence(str(9730 + left), "读卡程序：卡密码不对，PIN剩{left}次，用完卡会锁住。", left=left)
    for left in range(1, 6)
}
