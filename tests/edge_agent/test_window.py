from edge_agent.window import Window
from wire_format.batch import BatchId

IDS = [BatchId("00" * 8, number) for number in range(200)]


def test_starts_as_one_probe_and_doubles_in_each_round() -> None:
    window = Window(maximum=20, timeout_s=10)
    sizes = []
    sent = 0
    for _ in range(6):
        flight = []
        while window.has_room:
            window.sent(IDS[sent], now_s=0)
            flight.append(IDS[sent])
            sent += 1
        sizes.append(len(flight))
        for batch_id in flight:
            window.acknowledged(batch_id)
    assert sizes == [1, 2, 4, 8, 16, 20]


def test_a_timeout_collapses_it_to_one_probe() -> None:
    window = Window(maximum=20, timeout_s=10)
    for number in range(10):
        window.acknowledged(IDS[number])
    window.sent(IDS[20], now_s=100)
    window.sent(IDS[21], now_s=105)
    assert window.next_deadline_s == 110
    assert window.expired(109.9) == []
    assert window.expired(110) == [IDS[20]]
    assert window.is_probing
    assert not window.has_room, "the other one is still on its way"
    assert window.expired(115) == [IDS[21]]
    assert window.has_room


def test_probes_wait_longer_each_time_up_to_the_timeout() -> None:
    window = Window(maximum=20, timeout_s=10)
    waits = []
    for number in range(5):
        window.sent(IDS[number], now_s=0)
        deadline_s = window.next_deadline_s
        assert deadline_s is not None
        waits.append(deadline_s)
        assert window.expired(deadline_s) == [IDS[number]]
    assert waits == [2, 4, 8, 10, 10]
    window.acknowledged(IDS[0])
    window.collapse()
    window.sent(IDS[9], now_s=0)
    assert window.next_deadline_s == 2


def test_a_lost_connection_gives_back_all_in_flight() -> None:
    window = Window(maximum=20, timeout_s=10)
    window.acknowledged(IDS[0])
    window.sent(IDS[1], now_s=0)
    window.sent(IDS[2], now_s=0)
    assert window.collapse() == [IDS[1], IDS[2]]
    assert (window.limit, window.in_flight, window.next_deadline_s) == (1, 0, None)
