"""What a push's own page says besides its progress: what holds it up, or that it is being signed by itself."""

from blueprints.common.numbers import Sentence
from models import channels, pushes
from models.orders import Push

from .sending import from_row

PAUSED = Sentence("90803", "本单位暂停了发送，签好的都留着；要发，请到「发送情况」点「继续发送」")


def is_signed_by_itself(push: Push) -> bool:
    """A signer was asked and has not ended."""
    order = channels.find_signing_order(push.id)
    return bool(order and order.done_at is None)


def standing_of(push: Push) -> list[tuple[str, str, Sentence]]:
    """[(icon, tone, words)] for the macro `said`."""
    line, order, counts = (
        channels.line_of_push(push.id),
        channels.find_signing_order(push.id),
        pushes.progress_of(push.id),
    )
    if line is None:
        return []
    says = []
    if order and order.problem:
        says.append(("warn", "bad", from_row(order.problem)))
    elif order and order.done_at is None:
        says.append(("pencil", "todo", Sentence("90807", "正在自动加签，不用插卡")))
    acts = ["sign"] if counts.get("messages unsigned") else []
    if counts.get("messages ready") or counts.get("messages sending"):
        acts.append("send")
        if channels.find_pause(line.enterprise_id):
            says.append(("warn", "todo", PAUSED))
    if refused := counts.get("messages refused"):
        words = "有{count}份报文没送到海关，请到「发送情况」看原因，再发一次"
        says.append(("warn", "bad", Sentence("90808", words, count=refused)))
    holds = [channels.find_hold(line, act) for act in acts]
    return says + [("warn", "bad", from_row(hold.sentence)) for hold in holds if hold]
