"""`eport-card-bridge --list-outcomes`: every outcome as JSON, from which a portal makes the helpdesk's table."""

import json

from .outcomes import WRONG_PIN, Outcome

_LEFT = {outcome: left for left, outcome in WRONG_PIN.items()}


def list_outcomes() -> str:
    """A JSON list of {number, shown, name, sentence, question, mend}, UTF-8 where it is written.

    Where the number alone tells the tries left they stand in the sentence; other parts stay as {left}, {port}.
    """
    rows = [
        {
            "number": outcome.number,
            "shown": outcome.shown,
            "name": outcome.name,
            "sentence": outcome.sentence.format(left=_LEFT[outcome]) if outcome in _LEFT else outcome.sentence,
            "question": outcome.question,
            "mend": outcome.mend,
        }
        for outcome in sorted(Outcome, key=lambda outcome: outcome.number)
    ]
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
