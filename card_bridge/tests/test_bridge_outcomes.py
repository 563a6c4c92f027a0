"""The list of outcomes is what helpdesk works with: complete, unambiguous, and the same in the document."""

import re
from pathlib import Path

import pytest
from eport_card_bridge.outcomes import Outcome, wrong_pin

DOCUMENT = Path(__file__).parents[2] / "docs/protocols/card-bridge.md"


def test_no_number_stands_for_two_outcomes():
    assert len({outcome.number for outcome in Outcome}) == len(Outcome)
    assert len({outcome.shown for outcome in Outcome}) == len(Outcome)
    assert all(9700 <= outcome.shown <= 9799 for outcome in Outcome)


@pytest.mark.parametrize("outcome", Outcome)
def test_each_outcome_has_sentence_question_and_mend(outcome):
    for words in (outcome.sentence, outcome.question, outcome.mend):
        assert words.endswith(("。", "？"))
        assert not re.search(r"[!！A-Za-z\u4e00-\u9fff] \d|\d [\u4e00-\u9fff]", words)


def test_the_number_alone_tells_the_tries_left():
    assert [wrong_pin(left).outcome.shown for left in (1, 2, 3, 4, 5, 9)] == [9731, 9732, 9733, 9734, 9735, 9705]
    assert "还可以试3次" in wrong_pin(3).sentence


def test_the_document_lists_them_all():
    text = DOCUMENT.read_text("utf-8")
    for outcome in Outcome:
        assert f"| {outcome.number} | {outcome.shown} | `{outcome.name}` | {outcome.sentence} |" in text
