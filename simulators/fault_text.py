"""Faults as people write them in a line, and as they are told while they last."""

import math
from collections.abc import Callable, Iterable, Sequence

from pydantic import ValidationError

from simulators.errors import SimulatorError
from simulators.scenario import FaultSettings

_FOR_EVER_S = 30 * 86400.0


def fault_of(kind: str, settings: dict[str, object]) -> FaultSettings:
    """A fault of one device; raises SimulatorError with one line that names the setting and the rule."""
    try:
        return FaultSettings.model_validate({"kind": kind, "device": "device", **settings})
    except ValidationError as problem:
        first = problem.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        told = first["msg"].removeprefix("Value error, ")
        raise SimulatorError(f"{kind}: {key}: {told}" if key else told) from None


def read_fault(text: str) -> tuple[FaultSettings, int | None]:
    """A fault written `KIND[,KEY=VALUE]...`, and the unit id of `at=N`, None for all; raises SimulatorError."""
    kind, *pairs = (part.strip() for part in text.split(","))
    settings: dict[str, object] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator:
            raise SimulatorError(f"--fault {text}: {pair!r} is no KEY=VALUE")
        settings[key.strip()] = value.strip()
    at = settings.pop("at", None)
    if at is not None and not (isinstance(at, str) and at.isascii() and at.isdigit()):
        raise SimulatorError(f"--fault {text}: at={at}: expected a unit id")
    try:
        return fault_of(kind, settings), None if at is None else int(str(at))
    except SimulatorError as problem:
        raise SimulatorError(f"--fault {text}: {problem}") from None


def sentences(faults: Iterable[FaultSettings], clock: Callable[[], float]) -> Callable[[], Sequence[str]]:
    """What is wrong now and what will be, for a terminal."""
    known = tuple(faults)

    def told() -> list[str]:
        now_s = clock()
        found = []
        for fault in known:
            if now_s >= fault.to_s:
                continue
            text = fault.kind if fault.probability == 1 else f"{fault.kind} {fault.probability:.0%}"
            if now_s < fault.from_s:
                text += f" in {math.ceil(fault.from_s - now_s)} s"
            elif fault.to_s < _FOR_EVER_S:
                text += f" for {math.ceil(fault.to_s - now_s)} s"
            found.append(text)
        return found

    return told
