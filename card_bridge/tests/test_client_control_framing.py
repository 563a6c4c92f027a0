"""Block framing and requests of the client control, as property tests against the client's own, separate framing."""

import json

import pytest
from control_client import GROUP, block, check_code, low_bytes, split
from eport_card_bridge.client_control import framing
from eport_card_bridge.client_control.framing import Assembler
from eport_card_bridge.client_control.wire import BadCall, Call, read_call
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# No clock: the machine may be busy with other tests.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=400)
SIZES = st.integers(min_value=2, max_value=50)


def put_together(assembler: Assembler, text: str, parts: list[str]):
    for number in range(len(parts)):
        progress = assembler.take(block(text, parts, number))
    return progress


def test_the_check_code_is_the_documents():
    assert check_code("123456789") == "374B"
    assert framing.check_code(framing.checksum(b"123456789")) == "374B"


@UNTIMED
@given(TEXTS)
def test_both_sides_compute_the_same_check_code(text):
    assert framing.check_code(framing.checksum(framing.units(text))) == check_code(text)


@UNTIMED
@given(TEXTS, SIZES)
def test_any_text_in_any_blocks_comes_out_as_it_was(text, size):
    assembler, parts = Assembler(), split(text, size)
    for number in range(len(parts) - 1):
        progress = assembler.take(block(text, parts, number))
        assert (progress.wanted, progress.is_good, progress.is_finished) == (number + 1, True, False)
    progress = assembler.take(block(text, parts, len(parts) - 1))
    assert progress.text == text
    assert assembler._groups == {}


@UNTIMED
@given(TEXTS, SIZES, st.data())
def test_a_damaged_block_is_asked_for_again_and_then_all_is_well(text, size, data):
    assembler, parts = Assembler(), split(text, size)
    number = data.draw(st.integers(0, len(parts) - 1))
    for before in range(number):
        assembler.take(block(text, parts, before))
    part = parts[number]
    at = data.draw(st.integers(0, len(part) - 1))
    other = data.draw(st.characters(exclude_categories=["Cs"]).filter(lambda c: low_bytes(c) != low_bytes(part[at])))
    frame = block(text, parts, number)
    progress = assembler.take(frame[:128] + part[:at] + other + part[at + 1 :])
    assert (progress.is_good, progress.wanted, progress.is_finished) == (False, number, False)
    for again in range(number, len(parts)):
        progress = assembler.take(block(text, parts, again))
    assert progress.text == text


@UNTIMED
@given(st.lists(st.tuples(TEXTS, SIZES), min_size=2, max_size=4), st.randoms())
def test_groups_that_come_mixed_do_not_mix(texts, random):
    assembler = Assembler()
    frames = []
    for index, (text, size) in enumerate(texts):
        group = f"{index:036d}"
        parts = split(text, size)
        frames.append([block(text, parts, number, group) for number in range(len(parts))])
    done = {}
    while any(frames):
        queue = random.choice([queue for queue in frames if queue])
        progress = assembler.take(queue.pop(0))
        if progress.text is not None:
            done[int(progress.group)] = progress.text
    assert done == {index: text for index, (text, _) in enumerate(texts)}


@UNTIMED
@given(st.lists(st.text(max_size=200), max_size=20))
def test_no_frame_whatsoever_breaks_it(frames):
    assembler = Assembler()
    for frame in frames:
        assembler.take("BLOCKTXT" + frame)
    assert len(assembler._groups) <= framing.MOST_GROUPS


HEADERS = st.fixed_dictionaries(
    {
        "check": st.from_regex(r"[0-9A-F]{4}", fullmatch=True),
        "size": st.from_regex(r"0{10}[0-9]{6}|[0-9]{16}", fullmatch=True),
        "count": st.from_regex(r"[0-9]{4}|000[0-3]", fullmatch=True),
        "number": st.from_regex(r"[0-9]{4}|000[0-2]", fullmatch=True),
        "group": st.sampled_from([GROUP, GROUP.replace("1", "2"), GROUP.replace("1", "3"), "x" * 36, "y" * 36]),
    }
)


@UNTIMED
@given(st.lists(st.tuples(HEADERS, st.text(max_size=30)), max_size=30))
def test_whatever_the_headers_say_no_more_is_kept_than_is_allowed(frames):
    assembler = Assembler()
    for header, part in frames:
        progress = assembler.take(block(part, [part], 0, **header))
        assert progress is not None
        assert progress.wanted <= int(header["count"]) + 1
    assert len(assembler._groups) <= framing.MOST_GROUPS
    assert sum(group.size for group in assembler._groups.values()) <= framing.LARGEST_TEXT
    assert all(group.received <= group.size for group in assembler._groups.values())


@pytest.mark.parametrize(
    "changed",
    [
        {"size": "0" * 16},
        {"count": "0000"},
        {"size": "9" * 16},
        {"size": f"{framing.LARGEST_TEXT + 1:016d}"},
    ],
)
def test_a_group_that_cannot_be_is_given_up_at_once(changed):
    progress = Assembler().take(block("text", ["text"], 0, **changed))
    assert progress.is_finished
    assert progress.text is None
    assert progress.error


def test_a_fifth_group_and_a_fifth_mebibyte_are_refused():
    assembler = Assembler()
    for index in range(framing.MOST_GROUPS):
        assert not assembler.take(block("two parts", ["two ", "parts"], 0, f"{index:036d}")).is_finished
    assert assembler.take(block("two parts", ["two ", "parts"], 0, "x" * 36)).error
    assembler = Assembler()
    half = f"{framing.LARGEST_TEXT // 2 + 1:016d}"
    assert not assembler.take(block("ab", ["a", "b"], 0, "x" * 36, size=half)).is_finished
    assert assembler.take(block("ab", ["a", "b"], 0, "y" * 36, size=half)).error


def test_a_header_that_changes_within_the_group_ends_it():
    assembler, parts = Assembler(), ["one ", "two ", "three"]
    assembler.take(block("one two three", parts, 0))
    assert assembler.take(block("one two three", parts, 1, count="0002")).error
    assert assembler._groups == {}


def test_a_whole_that_does_not_match_its_check_code_is_given_up():
    progress = put_together(Assembler(), "one two", ["one ", "twö"])
    assert progress.text is None
    assert progress.error


def test_a_block_that_never_comes_right_is_given_up():
    assembler, parts = Assembler(), ["one ", "two"]
    damaged = block("one two", parts, 0, block_check="0000")
    for _ in range(framing.TRIES_PER_BLOCK * 2):
        assert not assembler.take(damaged).is_finished
    assert assembler.take(damaged).error
    assert assembler._groups == {}


def test_a_group_that_is_left_alone_is_forgotten():
    now = [0.0]
    assembler, parts = Assembler(lambda: now[0]), ["one ", "two"]
    assembler.take(block("one two", parts, 0))
    now[0] = framing.GROUP_SECONDS + 1
    assembler.take(block("x", ["x"], 0, "x" * 36))
    assert assembler._groups == {}
    assert not assembler.take(block("one two", parts, 1)).is_good


def test_a_block_ahead_of_its_turn_waits_for_its_turn():
    assembler, parts = Assembler(), ["one ", "two"]
    assert assembler.take(block("one two", parts, 1)).wanted == 0
    assert put_together(assembler, "one two", parts).text == "one two"


@pytest.mark.parametrize("frame", ["BLOCKTXT", "BLOCKTXT" + "0" * 119, "BLOCKTXT" + "x" * 120, "BLOCKTXT" + "零" * 120])
def test_a_header_that_cannot_be_read_names_no_group(frame):
    assert Assembler().take(frame) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@UNTIMED
@given(st.dictionaries(st.sampled_from(["_id", "_method", "args", "x"]), JSON) | JSON)
def test_any_json_is_a_request_or_a_bad_one(value):
    try:
        call = read_call(json.dumps(value))
    except BadCall as bad:
        assert isinstance(bad.id, int | str)
    else:
        assert isinstance(call, Call)
        assert isinstance(call.args, dict)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "nul", '{"_id":' + "9" * 5000 + "}", "\x00"])
def test_what_is_no_json_is_a_bad_request(text):
    with pytest.raises(BadCall):
        read_call(text)
