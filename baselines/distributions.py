"""Probabilities of Student's t and Fisher's F, by the regularised incomplete beta function."""

from scipy.special import betainc, stdtrit


def t_p_value(t: float, degrees_of_freedom: int) -> float:
    """Two-sided probability of a t at least this far from zero (Abramowitz & Stegun 26.7.1)."""
    return float(betainc(degrees_of_freedom / 2.0, 0.5, degrees_of_freedom / (degrees_of_freedom + t * t)))


def f_p_value(f: float, numerator: int, denominator: int) -> float:
    """Upper-tail probability of F (Abramowitz & Stegun 26.6.2)."""
    return float(betainc(denominator / 2.0, numerator / 2.0, denominator / (denominator + numerator * f)))


def t_for_confidence(confidence: float, degrees_of_freedom: int) -> float:
    """The t that holds `confidence` (0.9 for 90 %) between its negative and itself."""
    return float(stdtrit(degrees_of_freedom, 0.5 + confidence / 2.0))
