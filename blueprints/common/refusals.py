"""Why the office does not do what it was asked: each is turned into words by the page that asked."""

from models.documents import Answer

from .fields import Problem


class NotNow(Exception):
    """The document is not where this act needs it: another round or stage, off the path, ended."""


class NotYours(Exception):
    """Somebody else decides this, or the principal lacks what the kind needs."""


class NotReady(Exception):
    def __init__(self, problems: list[Problem]):
        super().__init__(problems)
        self.problems = problems


class Conflict(Exception):
    """Somebody saved this place since the page was shown: the page shows both."""

    def __init__(self, theirs: Answer, mine: dict):
        super().__init__(theirs.by)
        self.theirs, self.mine = theirs, mine


class FactsChanged(Exception):
    """Registers say something else than at submission: {name: (then, now)}."""

    def __init__(self, changes: dict):
        super().__init__(*changes)
        self.changes = changes
