import asyncio
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundwire.server.channel import (
    MESSAGE_BYTES,
    Channel,
    ChildChannel,
    FrameReader,
    Message,
    channel_pair,
    framed,
)
from serving import SECONDS


@pytest.fixture
def pair() -> Iterator[tuple[Channel, ChildChannel]]:
    ours, theirs = channel_pair()
    child = ChildChannel(theirs)
    yield ours, child
    ours.close()
    child.close()


async def received(channel: Channel) -> Message:
    """The next message, while the child's end goes on on the loop."""
    async with asyncio.timeout(SECONDS):
        while not (messages := channel.receive()):
            await asyncio.sleep(0.001)
    (message,) = messages
    return message


@given(st.lists(st.integers(min_value=1, max_value=40), max_size=30))
def test_messages_are_the_same_however_they_are_cut(cuts: list[int]) -> None:
    messages: list[Message] = [{"type": "beat"}, {"type": "failed", "text": "ä\n" * 30}, {}]
    data = b"".join(map(framed, messages))
    reader = FrameReader()

    got: list[Message] = []
    for cut in cuts:
        got += reader.receive(data[:cut])
        data = data[cut:]
    got += reader.receive(data)

    assert messages == got


@pytest.mark.parametrize(
    "data",
    [(MESSAGE_BYTES + 1).to_bytes(4), b"\0\0\0\2[]", b"\0\0\0\2{]", b"\0\0\0\1\xff", b"GET / HT"],
)
def test_what_is_no_message_ends_the_channel(data: bytes) -> None:
    ours, theirs = channel_pair()
    theirs.sendall(data)

    assert [] == ours.receive()
    assert ours.ended
    ours.close()
    theirs.close()


def test_a_message_that_is_too_long_is_not_sent() -> None:
    with pytest.raises(ValueError, match="too long"):
        framed({"text": "x" * MESSAGE_BYTES})


def test_a_peer_that_does_not_read_is_not_waited_for() -> None:
    ours, theirs = channel_pair()
    text = "x" * 4_000_000

    assert [True] * 8 == [ours.send("beat", text=text) for _ in range(8)]
    assert ours.has_waiting
    assert not ours.send("beat", text=text)
    ours.close()
    theirs.close()


def test_what_waits_is_sent_when_the_peer_reads_again() -> None:
    ours, theirs = channel_pair()
    other = Channel(theirs)
    ours.send("beat", text="x" * 1_000_000)

    messages: list[Message] = []
    while not messages:
        messages = other.receive()
        ours.flush()

    assert [{"type": "beat", "text": "x" * 1_000_000}] == messages
    assert not ours.has_waiting
    ours.close()
    other.close()


def test_the_end_of_a_peer_is_noticed_and_sending_to_it_is_no_error() -> None:
    ours, theirs = channel_pair()
    theirs.close()

    ours.send("stop")

    assert [] == ours.receive()
    assert ours.ended
    assert not ours.send("stop")
    ours.close()


def test_what_a_peer_sent_before_it_died_is_read() -> None:
    ours, theirs = channel_pair()
    theirs.sendall(framed({"type": "failed"}))
    theirs.close()

    ours.send("stop")

    assert [{"type": "failed"}] == ours.receive()
    assert ours.ended
    ours.close()


def test_a_child_answers_what_it_is_asked(pair: tuple[Channel, ChildChannel]) -> None:
    ours, child = pair

    async def later(add: int) -> int:
        await asyncio.sleep(0)
        return 1 + add

    async def main() -> list[Message]:
        child.answers.update(pid=lambda: 7, later=later, wrong=lambda: 1 / 0)
        child.attach(asyncio.get_running_loop())
        answers = []
        asked: list[tuple[str, dict[str, int]]]
        asked = [("pid", {}), ("later", {"add": 2}), ("wrong", {}), ("else", {})]
        for id, (what, arguments) in enumerate(asked):
            ours.send("ask", id=id, what=what, arguments=arguments)
            answers.append(await received(ours))
        child.close()
        return answers

    assert [
        {"type": "answer", "id": 0, "value": 7},
        {"type": "answer", "id": 1, "value": 3},
        {"type": "answer", "id": 2, "error": "ZeroDivisionError('division by zero')"},
        {"type": "answer", "id": 3, "error": "nothing is known of 'else'"},
    ] == asyncio.run(main())


def test_a_child_asks_all_workers(pair: tuple[Channel, ChildChannel]) -> None:
    ours, child = pair

    async def main() -> tuple[Message, Message]:
        child.attach(asyncio.get_running_loop())
        gathering = asyncio.ensure_future(child.gather("metrics", since=3))
        asked = await received(ours)
        ours.send("gathered", id=asked["id"], value=[1, 2], missing=[3])
        gathered = await gathering
        child.close()
        return asked, gathered

    asked, gathered = asyncio.run(main())
    assert {"type": "gather", "id": 1, "what": "metrics", "arguments": {"since": 3}} == asked
    assert ([1, 2], [3]) == (gathered["value"], gathered["missing"])


def test_a_gathering_that_nobody_answers_ends(pair: tuple[Channel, ChildChannel]) -> None:
    _ours, child = pair

    async def main() -> None:
        child.attach(asyncio.get_running_loop())
        with pytest.raises(TimeoutError):
            await child.gather("metrics", timeout_seconds=0.01)
        child.close()

    asyncio.run(main())


def test_commands_and_the_end_are_told_to_the_child(pair: tuple[Channel, ChildChannel]) -> None:
    ours, child = pair

    async def main() -> list[object]:
        told: list[object] = []
        ended = asyncio.Event()
        child.commands["stop"] = told.append
        child.commands["broken"] = lambda message: told.append(message["missing"])
        child.on_end = ended.set
        child.attach(asyncio.get_running_loop())
        ours.send("stop", at_once=False)
        ours.send("unknown")
        ours.send("broken")
        ours.close()
        await asyncio.wait_for(ended.wait(), SECONDS)
        return told

    assert [{"type": "stop", "at_once": False}] == asyncio.run(main())


def test_what_a_child_sends_too_fast_arrives_whole(pair: tuple[Channel, ChildChannel]) -> None:
    ours, child = pair

    async def main() -> Message:
        child.attach(asyncio.get_running_loop())
        child.send("answer", id=1, value="x" * 3_000_000)
        message = await received(ours)
        child.close()
        return message

    assert 3_000_000 == len(asyncio.run(main())["value"])


def test_a_channel_is_closed_for_exec() -> None:
    ours, theirs = channel_pair()
    assert not socket.socket.get_inheritable(theirs)
    assert not ours.socket.get_inheritable()
    ours.close()
    theirs.close()
