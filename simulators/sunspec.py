"""The chain of SunSpec models that a device shows: marker, common model, an inverter or a meter, end.

Sources: SunSpec models 1, 101 to 103 and 201 to 204 (sunspec/models json/model_1.json, model_101.json and so on);
marker and end of the chain as in SunSpec's Information Model Specification.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

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

_NOT_IMPLEMENTED_S16 = 0x8000
_NOT_IMPLEMENTED_U16 = 0xFFFF


@dataclass(frozen=True, slots=True)
class _Family:
    """Models with the same layout. Points that are neither `signed` nor `accumulators` are unsigned or bit fields."""

    name: str
    models: tuple[int, ...]
    length: int
    signed: frozenset[int]
    """Offsets of int16 and sunssf points."""
    accumulators: frozenset[int]
    """Offsets of acc32 points: 0 where nothing is accumulated."""

    def not_implemented(self, offset: int) -> int:
        """The word of a point that the device does not have."""
        if offset in self.accumulators:
            return 0
        return _NOT_IMPLEMENTED_S16 if offset in self.signed else _NOT_IMPLEMENTED_U16


_INVERTER = _Family(
    "inverter",
    (103, 102, 101),
    50,
    frozenset({6, 13, 14, 15, 17, 18, 19, 20, 21, 22, 23, 26, 28, 30, 31, 32, 33, 34, 35, 36, 37}),
    frozenset({24, 25}),
)
_METER = _Family(
    "meter",
    (203, 204, 202, 201),
    105,
    frozenset({*range(2, 38), 54, 71, 104}),
    frozenset({*range(38, 54), *range(55, 71), *range(72, 104)}),
)
_FAMILIES = {model: family for family in (_INVERTER, _METER) for model in family.models}
"""Of a family, the first model that a profile covers is shown."""


def simulated_layout(profile: Profile) -> Profile:
    """The layout of a profile that is simulated; raises SimulatorError when it has no integer inverter or meter."""
    for model in _FAMILIES:
        layout = profile.for_sunspec_model(model)
        if layout is not None:
            return layout
    raise SimulatorError(f"{profile.id}: none of its SunSpec models can be simulated; 101 to 103 and 201 to 204 can")


def shown_model(layout: Profile) -> int:
    """The model that is announced in the chain."""
    return next(model for model in _FAMILIES if model in layout.sunspec_models)


def lay_out(
    model: int,
    block: Mapping[int, int],
    *,
    maker: str = "Leanmeter",
    name: str = "",
    serial_number: str = str(SERIAL_NUMBER),
    base_address: int = BASE_ADDRESS,
) -> RegisterImage:
    """The whole chain.

    Args:
        model: 101 to 103 or 201 to 204.
        block: words by their offset from the register that holds the model's number; those that are missing are
            "not implemented".
        maker: at most 32 characters, as `name` and `serial_number`.
        name: the device's model.
        serial_number: as on its label.
        base_address: where the marker stands.
    """
    family = _FAMILIES[model]
    common = [_COMMON_MODEL, _COMMON_LENGTH]
    texts = ((maker, 16), (name or f"Simulated {family.name}", 16), ("", 8), ("1.0", 8), (serial_number, 16))
    for text, count in texts:
        common += words_of(Register("text", "", FUNCTION_CODE, 0, count, Encoding.ASCII), text)
    common += [1, _NOT_IMPLEMENTED_S16]
    measured = [model, family.length]
    measured += [block.get(offset, family.not_implemented(offset)) for offset in range(2, family.length + 2)]
    words = [*_MARKER, *common, *measured, *_END]
    return {FUNCTION_CODE: dict(enumerate(words, base_address))}


def chain_encoder(profile: Profile) -> Callable[[Mapping[str, Value]], RegisterImage]:
    """From values to the registers of a device; raises SimulatorError when none of its models can be simulated."""
    layout = simulated_layout(profile)
    model = shown_model(layout)
    encoder = ImageEncoder(layout)

    def encode(values: Mapping[str, Value]) -> RegisterImage:
        return lay_out(model, encoder.encode(values).get(FUNCTION_CODE, {}))

    return encode
