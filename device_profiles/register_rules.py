"""Rules between the registers of a layout: helpers that are named, addresses that do not overlap."""

from itertools import pairwise

from device_profiles.errors import RuleError
from device_profiles.profile import Register


def check_helpers(prefix: str, registers: tuple[Register, ...], helpers: tuple[Register, ...]) -> None:
    """Every helper that a register names is there, and every one that is there is named; raises RuleError."""
    present = {helper.quantity for helper in helpers}
    used: set[str] = set()
    for register in registers:
        for name in register.helper_names:
            if name not in present:
                key = f"{prefix}registers.{register.quantity}.{_key_of(register, name)}"
                raise RuleError(f"{key}: there is no helper {name!r}")
            used.add(name)
    for name in sorted(present - used):
        raise RuleError(f"{prefix}helpers.{name}: no register uses it")
    for name in sorted(present & {register.quantity for register in registers}):
        raise RuleError(f"{prefix}helpers.{name}: a quantity has the same name")


def _key_of(register: Register, helper: str) -> str:
    """The key by which a register names a helper."""
    keys = {register.scale_factor: "scale_factor", register.negative_if: "negative_if"}
    keys |= {register.summand: "minus" if register.subtracts else "plus"}
    keys |= dict.fromkeys(register.unusable_if, "unusable_if")
    return keys.get(helper, "multiply_by or unit_by")


def check_overlap(prefix: str, registers: tuple[Register, ...], limit: int) -> None:
    """No two share a register unless they are bits of it, and each may be asked for; raises RuleError."""
    ordered = sorted(registers, key=lambda register: (register.function_code, register.address))
    for register in ordered:
        if register.count > limit:
            raise RuleError(
                f"{prefix}registers.{register.quantity}: needs {register.count} registers, {limit} may be asked for"
            )
        if register.address + register.count > 65536:
            raise RuleError(f"{prefix}registers.{register.quantity}.address: reaches beyond 65535")
    for first, second in pairwise(ordered):
        last = first.address + first.count - 1
        if first.function_code == second.function_code and last >= second.address and not _share(first, second):
            key = f"{prefix}registers.{second.quantity}.address"
            raise RuleError(f"{key}: overlaps {first.quantity} ({first.address} to {last})")


def _share(first: Register, second: Register) -> bool:
    """Whether two lie in the same registers rightly: as bits of them."""
    same = (first.address, first.count) == (second.address, second.count)
    return same and (first.bits is not None or second.bits is not None)
