from collector.fair_queue import FairQueue


def queue(most: int = 100, of_an_edge: int = 50, most_bytes: int = 10_000, at_once: int = 2) -> FairQueue[int]:
    return FairQueue(most, of_an_edge, most_bytes, at_once)


def taken(waiting: FairQueue[int]) -> list[tuple[str, int]]:
    found = []
    while (one := waiting.take()) is not None:
        found.append(one)
        waiting.done(one[0])
    return found


def test_edges_take_turns_whoever_came_first() -> None:
    waiting = queue()
    for number in range(3):
        assert waiting.put("loud", number, 1) == []
    waiting.put("quiet", 10, 1)
    assert taken(waiting) == [("loud", 0), ("quiet", 10), ("loud", 1), ("loud", 2)]
    assert len(waiting) == 0


def test_an_edge_has_no_more_than_its_share_under_way() -> None:
    waiting = queue(at_once=2)
    for number in range(4):
        waiting.put("loud", number, 1)
    waiting.put("quiet", 10, 1)
    assert [waiting.take() for _ in range(4)] == [("loud", 0), ("quiet", 10), ("loud", 1), None]
    waiting.done("loud")
    assert waiting.take() == ("loud", 2)


def test_an_edge_that_has_its_share_waiting_gets_no_more() -> None:
    waiting = queue(of_an_edge=2)
    assert [waiting.put("loud", number, 1) for number in range(4)] == [[], [], [2], [3]]
    assert waiting.put("quiet", 10, 1) == []


def test_when_all_is_full_the_longest_queue_gives_its_newest() -> None:
    waiting = queue(most=4)
    for number in range(4):
        waiting.put("loud", number, 1)
    assert waiting.put("loud", 4, 1) == [4]
    assert waiting.put("quiet", 10, 1) == [3]
    assert waiting.put("other", 20, 1) == [2]
    # One more would make its own queue as long as the longest.
    assert waiting.put("quiet", 11, 1) == [11]
    assert sorted(taken(waiting)) == [("loud", 0), ("loud", 1), ("other", 20), ("quiet", 10)]


def test_bytes_are_bounded_too() -> None:
    waiting = queue(most_bytes=100)
    assert waiting.put("loud", 0, 40) == []
    assert waiting.put("loud", 1, 40) == []
    assert waiting.put("quiet", 10, 30) == [1]
    assert waiting.put("quiet", 11, 200) == [11]
    assert [number for _, number in taken(waiting)] == [0, 10]
