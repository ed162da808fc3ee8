"""Being the only evaluation."""

from store.entities import Entities
from store.held_lease import HeldLease, LeaseLostError

__all__ = ["EvaluationLease", "LeaseLostError"]

NAME = "evaluation"


class EvaluationLease(HeldLease):
    """Held by whoever evaluates: nobody else may write over what was computed from newer readings."""

    def __init__(self, entities: Entities) -> None:
        super().__init__(entities, NAME)
