import pytest

from groundwire.server.fair_share import PLACES, ConnectionCounts, Share


def shares(*connections: int) -> tuple[ConnectionCounts, list[Share]]:
    counts = ConnectionCounts()
    made = []
    for number, has in enumerate(connections, 1):
        share = counts.share_of(number)
        assert share is not None
        share.tell(has)
        made.append(share)
    return counts, made


@pytest.mark.parametrize(
    ("connections", "ahead"),
    [
        ((5,), [False]),
        ((0, 0), [False, False]),
        ((1, 0), [False, False]),
        ((2, 0), [True, False]),
        ((9, 7, 9), [True, False, True]),
        ((110, 100), [False, False]),
        ((115, 100), [True, False]),
    ],
)
def test_who_has_considerably_more_than_another_is_ahead(
    connections: tuple[int, ...], ahead: list[bool]
) -> None:
    _, made = shares(*connections)

    assert ahead == [share.is_ahead() for share in made]


def test_nobody_waits_for_one_that_has_left_or_ended() -> None:
    counts, (first, second, third) = shares(50, 0, 0)

    second.leave()
    assert first.is_ahead()
    counts.vacate(3)
    assert not first.is_ahead()
    third.tell(0)
    assert first.is_ahead()


def test_there_is_a_bound_to_those_who_look_at_each_other() -> None:
    counts = ConnectionCounts()

    assert counts.share_of(PLACES) is not None
    assert counts.share_of(PLACES + 1) is None
    counts.vacate(PLACES + 1)
