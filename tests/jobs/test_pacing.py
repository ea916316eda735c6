"""A process that was held up does not send at once what it should have sent evenly."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from jobs.pacing import Pacer

START = datetime(2031, 3, 1, 9, 0, tzinfo=UTC)
GAP = 0.0125


def test_turns_in_time_are_kept_to_the_moment() -> None:
    pacer = Pacer()
    turns = [START + timedelta(seconds=n * GAP) for n in range(5)]
    assert [pacer.leave("n", turn, GAP, START) for turn in turns] == pytest.approx(
        [n * GAP for n in range(5)]
    )


def test_turns_that_are_over_leave_one_by_one() -> None:
    pacer = Pacer()
    late = START + timedelta(seconds=1)
    leaving = [pacer.leave("n", START + timedelta(seconds=n * GAP), GAP, late) for n in range(8)]
    assert leaving[0] == 0.0
    assert [after - before for before, after in pairwise(leaving)] == pytest.approx([GAP] * 7)


def test_numbers_do_not_wait_for_each_other() -> None:
    pacer = Pacer()
    assert [pacer.leave(number, START, GAP, START) for number in ("a", "b", "a")] == [0.0, 0.0, GAP]
