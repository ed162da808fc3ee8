from edge_agent.weighing import WeighingDetector, WeighingState


def weigh(readings: list[tuple[int, bool]], detector: WeighingDetector | None = None) -> list[int]:
    detector = detector or WeighingDetector(threshold=100, exponent=-3)
    return [mass for weight, stable in readings if (mass := detector.update(weight, stable=stable))]


def test_a_load_counts_once_however_long_it_stands() -> None:
    assert weigh([(0, True), (700, False), (1500, True), (1500, True), (1501, True), (0, True)]) == [1500]


def test_an_unstable_load_does_not_count() -> None:
    assert weigh([(0, True), (1500, False), (1500, False), (0, True)]) == []


def test_what_is_below_the_threshold_does_not_count() -> None:
    assert weigh([(0, True), (99, True), (0, True), (100, True)]) == [100]


def test_two_loads_count_when_the_scale_was_empty_in_between() -> None:
    assert weigh([(500, True), (49, False), (600, True)]) == [500, 600]


def test_a_load_that_trembles_about_the_threshold_is_one_weighing() -> None:
    assert weigh([(101, True), (99, True), (101, True), (51, True), (120, True)]) == [101]


def test_a_removed_container_below_zero_is_an_empty_scale() -> None:
    assert weigh([(500, True), (-300, True), (600, True)]) == [500, 600]


def test_a_load_that_was_counted_before_a_restart_is_not_counted_again() -> None:
    detector = WeighingDetector(100, -3, WeighingState(9000, counted=True, exponent=-3))
    assert weigh([(1500, True), (0, True), (200, True)], detector) == [200]
    assert detector.state.total == 9200


def test_the_sum_survives_a_scale_with_another_resolution() -> None:
    assert WeighingDetector(100, -4, WeighingState(9000, counted=False, exponent=-3)).state.total == 90_000
    assert WeighingDetector(100, -2, WeighingState(9001, counted=False, exponent=-3)).state.total == 901
