"""How far a push is: orders signed, sent, answered, and how long it may still take at the card's own speed."""

from dataclasses import dataclass
from datetime import timedelta

from blueprints.common.numbers import Sentence
from models import orders, pushes
from models.orders import Push

# With no signature for so long the card was out: the night is not part of its speed.
STANDSTILL = timedelta(minutes=3)


@dataclass(frozen=True)
class Progress:
    push: Push
    total: int
    signed: int
    messages_left: int
    success: int
    failed: int
    seconds_left: int | None  # for the signatures; None: not known yet

    @property
    def ended(self) -> int:
        return self.success + self.failed

    @property
    def is_over(self) -> bool:
        return self.ended >= self.total

    @property
    def waiting(self) -> int:
        """Signed, no final receipt yet."""
        return self.signed - self.ended

    @property
    def left_words(self) -> str:
        if self.seconds_left is None:
            return ""
        hours, minutes = divmod(-(-self.seconds_left // 60), 60)
        if hours:
            return Sentence("", "按这张卡的速度，签完还要{hours}小时{minutes}分钟", hours=hours, minutes=minutes)
        return Sentence("", "按这张卡的速度，签完还要{minutes}分钟", minutes=minutes)


def progress_of(push: Push) -> Progress:
    counts = pushes.progress_of(push.id)
    total = sum(value for key, value in counts.items() if key.startswith("orders "))
    unsigned = counts.get("orders unsigned", 0)
    left = counts.get("messages unsigned", 0)
    refused = counts.get("orders refused", 0)
    return Progress(
        push, total, total - unsigned, left, counts.get(orders.SUCCESS, 0), counts.get(orders.FAILED, 0) + refused,
        _seconds_left(push, left),
    )  # fmt: skip


def _seconds_left(push: Push, left: int) -> int | None:
    """By the speed of this card since it last stood still."""
    moments = pushes.latest_signatures(push.id)
    if not left or len(moments) < 2:
        return None
    run = 1
    while run < len(moments) and moments[run - 1] - moments[run] < STANDSTILL:
        run += 1
    if run < 2:
        return None
    return int((moments[0] - moments[run - 1]).total_seconds() / (run - 1) * left) + 1
