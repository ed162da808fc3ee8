from hypothesis import given
from hypothesis import strategies as st

from edge_agent.outbox.ranges import NumberRanges

some_range = st.builds(lambda start, length: range(start, start + length), st.integers(0, 60), st.integers(0, 12))


@given(st.lists(st.tuples(st.booleans(), some_range), max_size=25), some_range)
def test_behaves_as_a_set_of_numbers(changes: list[tuple[bool, range]], asked: range) -> None:
    ranges, numbers = NumberRanges(), set[int]()
    for is_added, changed in changes:
        if is_added:
            ranges.add(changed)
            numbers |= set(changed)
        else:
            ranges.remove(changed)
            numbers -= set(changed)
    assert [number for part in ranges for number in part] == sorted(numbers)
    assert all(earlier.stop < later.start for earlier, later in zip(list(ranges), list(ranges)[1:], strict=False))
    assert [number for gap in ranges.missing(asked) for number in gap] == [n for n in asked if n not in numbers]
    assert [number in ranges for number in range(75)] == [number in numbers for number in range(75)]
    assert bool(ranges) == bool(numbers)
    if numbers:
        assert next(iter(ranges.first(3))) == min(numbers)
        assert set(ranges.first(3)) <= numbers
    else:
        assert not ranges.first(3)
