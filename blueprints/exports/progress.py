"""How far a push is: orders signed, sent, answered, and how long it may still take at the card's own speed."""

from dataclasses import dataclass

from blueprints.common import clock
from models import orders, pushes
from models.orders import Push


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
        return f"大约还要{-(-self.seconds_left // 60)}分钟" if self.seconds_left > 60 else "不到1分钟就签完"


def progress_of(push: Push) -> Progress:
    counts = pushes.progress_of(push.id)
    total = sum(value for key, value in counts.items() if key.startswith("orders "))
    unsigned = counts.get("orders unsigned", 0)
    left = counts.get("messages unsigned", 0)
    done = sum(value for key, value in counts.items() if key.startswith("messages ")) - left
    refused = counts.get("orders refused", 0)
    return Progress(
        push, total, total - unsigned, left, counts.get(orders.SUCCESS, 0), counts.get(orders.FAILED, 0) + refused,
        _seconds_left(push, done, left),
    )  # fmt: skip


def _seconds_left(push: Push, done: int, left: int) -> int | None:
    """By the speed so far of this card."""
    first = pushes.first_signature(push.id)
    if not done or not left or first is None:
        return None
    return int((clock.now() - first).total_seconds() / done * left) + 1
