import pytest

from device_profiles.errors import ProfileError
from device_profiles.library import load_profile
from device_profiles.sunspec import MODEL_LIMIT, Model, find_layout, walk_chain


def chain(*models: tuple[int, int], end: bool = True) -> dict[int, int]:
    words = [0x5375, 0x6E53]
    for model, length in models:
        words += [model, length, *[0] * length]
    return dict(enumerate([*words, 0xFFFF, 0] if end else words, 40000))


def test_each_model_tells_where_the_next_one_starts() -> None:
    found = walk_chain(chain((1, 66), (120, 26), (103, 50)))
    assert found == (Model(1, 40002, 66), Model(120, 40070, 26), Model(103, 40098, 50))


def test_the_chain_ends_where_the_registers_end() -> None:
    assert walk_chain(chain((1, 66), (103, 50), end=False)) == (Model(1, 40002, 66), Model(103, 40070, 50))
    assert walk_chain({40000: 0x5375, 40001: 0x6E53, 40002: 1}) == ()


@pytest.mark.parametrize("words", [{}, {40000: 0x5375}, {40000: 0x6E53, 40001: 0x5375}])
def test_without_the_marker_there_is_no_chain(words: dict[int, int]) -> None:
    with pytest.raises(ProfileError, match="no SunSpec marker"):
        walk_chain(words)


def test_a_chain_without_an_end_is_left() -> None:
    assert len(walk_chain(chain(*[(1, 0)] * 1000))) == MODEL_LIMIT


def test_the_first_model_that_the_profile_covers_is_taken() -> None:
    profile = load_profile("sunspec/inverter")
    found = find_layout(profile, walk_chain(chain((1, 66), (160, 4), (113, 60), (101, 50))))
    assert found is not None
    layout, model = found
    assert model == Model(113, 40076, 60)
    assert 113 in layout.sunspec_models
    assert find_layout(profile, walk_chain(chain((1, 66), (203, 105)))) is None


def test_of_several_meters_the_one_that_is_meant_is_taken() -> None:
    profile = load_profile("sunspec/meter")
    models = walk_chain(chain((1, 66), (103, 50), (1, 66), (203, 105), (1, 66), (213, 124)))
    found = [find_layout(profile, models, block) for block in (1, 2, 3)]
    assert [None if one is None else one[1].model for one in found] == [203, 213, None]
