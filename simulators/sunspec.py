"""The chain of SunSpec models that an inverter shows: marker, common model, inverter model, end.

Sources: SunSpec models 1 and 101 to 103 (sunspec/models json/model_1.json, model_101.json to model_103.json); marker
and end of the chain as in SunSpec's Information Model Specification.
"""

from collections.abc import Callable, Mapping

from device_profiles.profile import Encoding, FunctionCode, Profile, Register
from simulators.encoding import Value, words_of
from simulators.errors import SimulatorError
from simulators.register_image import SERIAL_NUMBER, ImageEncoder, RegisterImage

BASE_ADDRESS = 40000
FUNCTION_CODE: FunctionCode = 3

_MARKER = (0x5375, 0x6E53)
_END = (0xFFFF, 0)
_COMMON_MODEL = 1
_COMMON_LENGTH = 66
_INVERTER_LENGTH = 50
_INVERTER_MODELS = (103, 102, 101)
"""Of these three, all with the same layout, the first that a profile covers is shown."""

_NOT_IMPLEMENTED_S16 = 0x8000
_NOT_IMPLEMENTED_U16 = 0xFFFF
_S16_OFFSETS = {6, 13, 14, 15, 17, 18, 19, 20, 21, 22, 23, 26, 28, 30, 31, 32, 33, 34, 35, 36, 37}
"""int16 and sunssf points of models 101 to 103; the others are unsigned, enums or bit fields."""
_ACCUMULATOR_OFFSETS = {24, 25}
"""acc32: 0 where nothing is accumulated."""


def inverter_layout(profile: Profile) -> Profile:
    """The layout of a profile that is simulated; raises SimulatorError when it has no integer inverter model."""
    for model in _INVERTER_MODELS:
        layout = profile.for_sunspec_model(model)
        if layout is not None:
            return layout
    raise SimulatorError(f"{profile.id}: none of its SunSpec models can be simulated; 101, 102 and 103 can")


def shown_model(layout: Profile) -> int:
    """The model that is announced in the chain."""
    return next(model for model in _INVERTER_MODELS if model in layout.sunspec_models)


def lay_out(
    model: int,
    block: Mapping[int, int],
    *,
    maker: str = "Leanmeter",
    name: str = "Simulated inverter",
    serial_number: str = str(SERIAL_NUMBER),
    base_address: int = BASE_ADDRESS,
) -> RegisterImage:
    """The whole chain.

    Args:
        model: 101, 102 or 103.
        block: words by their offset from the register that holds the model's number; those that are missing are
            "not implemented".
        maker: at most 32 characters, as `name` and `serial_number`.
        name: the inverter's model.
        serial_number: as on its label.
        base_address: where the marker stands.
    """
    common = [_COMMON_MODEL, _COMMON_LENGTH]
    for text, count in ((maker, 16), (name, 16), ("", 8), ("1.0", 8), (serial_number, 16)):
        common += words_of(Register("text", "", FUNCTION_CODE, 0, count, Encoding.ASCII), text)
    common += [1, _NOT_IMPLEMENTED_S16]
    inverter = [model, _INVERTER_LENGTH]
    inverter += [block.get(offset, _not_implemented(offset)) for offset in range(2, _INVERTER_LENGTH + 2)]
    words = [*_MARKER, *common, *inverter, *_END]
    return {FUNCTION_CODE: dict(enumerate(words, base_address))}


def _not_implemented(offset: int) -> int:
    if offset in _ACCUMULATOR_OFFSETS:
        return 0
    return _NOT_IMPLEMENTED_S16 if offset in _S16_OFFSETS else _NOT_IMPLEMENTED_U16


def chain_encoder(profile: Profile) -> Callable[[Mapping[str, Value]], RegisterImage]:
    """From values to the registers of an inverter; raises SimulatorError when the profile has no such model."""
    layout = inverter_layout(profile)
    model = shown_model(layout)
    encoder = ImageEncoder(layout)

    def encode(values: Mapping[str, Value]) -> RegisterImage:
        return lay_out(model, encoder.encode(values).get(FUNCTION_CODE, {}))

    return encode
