"""The normalised energy performance indicator (EnPI): made comparable for what the plant made and the weather did.

ISO 50006:2014, 4.2 and annex D; ISO 50015. DOE's Superior Energy Performance protocol calls the ratio SEnPI.
"""


def ratio(actual: float, expected: float) -> float | None:
    """Actual over expected use under the same conditions: 0.89 is 11 % better than the baseline (forecast method).

    None where the expected use is not above zero: the ratio has no meaning there.
    """
    return actual / expected if expected > 0.0 else None
