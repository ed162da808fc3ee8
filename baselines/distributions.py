"""Probabilities of Student's t, Fisher's F and a beta variable, by the regularised incomplete beta function."""

from scipy.special import betainc, stdtrit


def t_p_value(t: float, degrees_of_freedom: float) -> float:
    """Two-sided probability of a t at least this far from zero (Abramowitz & Stegun 26.7.1)."""
    return float(betainc(degrees_of_freedom / 2.0, 0.5, degrees_of_freedom / (degrees_of_freedom + t * t)))


def f_p_value(f: float, numerator: int, denominator: int) -> float:
    """Upper-tail probability of F (Abramowitz & Stegun 26.6.2)."""
    return float(betainc(denominator / 2.0, numerator / 2.0, denominator / (denominator + numerator * f)))


def t_for_confidence(confidence: float, degrees_of_freedom: float) -> float:
    """The t that holds `confidence` (0.9 for 90 %) between its negative and itself."""
    return float(stdtrit(degrees_of_freedom, 0.5 + confidence / 2.0))


def beta_p_value(share: float, mean: float, variance: float) -> float:
    """Lower-tail probability of a beta variable (0 to 1) with this mean and variance."""
    size = mean * (1.0 - mean) / variance - 1.0
    return float(betainc(mean * size, (1.0 - mean) * size, share))
