"""What stands on a scale's display."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Display:
    """The weights that a scale shows, in kg with `decimals`; `beyond` is "+" in overload and "-" in underload.

    With a tare the scale shows the net weight, else the gross weight.
    """

    gross_kg: float
    tare_kg: float = 0.0
    decimals: int = 3
    stable: bool = True
    beyond: Literal["", "+", "-"] = ""
    unit: str = "kg"

    @property
    def is_net(self) -> bool:
        """Whether a container is taken off."""
        return self.tare_kg != 0

    @property
    def shown_kg(self) -> float:
        """Gross or net, rounded as it is shown, without the sign of a negative zero."""
        return round(self.gross_kg - self.tare_kg, self.decimals) + 0.0

    @property
    def at_zero(self) -> bool:
        """Whether the plate is empty, within a quarter of a step."""
        return abs(self.gross_kg) <= 0.25 * 10.0**-self.decimals

    @property
    def sign(self) -> Literal["+", "-"]:
        """Zero counts as positive."""
        return "-" if self.shown_kg < 0 else "+"

    def padded(self, width: int, fill: str = " ") -> str:
        """The amount without its sign, right-justified."""
        return f"{abs(self.shown_kg):.{self.decimals}f}".rjust(width, fill)

    def signed(self, width: int, fill: str = " ") -> str:
        """The amount with a minus where it is negative; a 0 as filling stands behind the minus."""
        minus = "-" if self.shown_kg < 0 else ""
        if fill == "0":
            return minus + self.padded(width - len(minus), fill)
        return (minus + self.padded(0)).rjust(width, fill)

    def state(self, stable: str, unstable: str, overload: str, underload: str | None = None) -> str:
        """The mark of its state; what has no mark for underload calls it overload."""
        if self.beyond:
            return (underload or overload) if self.beyond == "-" else overload
        return stable if self.stable else unstable
