"""Robust empirical Bayes intervals, against the R package ebci of the method's authors.

Figures: R 4.2.2, ebci 1.0.0.9000 (kolesarm/ebci e0e2c76), cva(m2, kappa, alpha)$cv and
ebci(theta25 ~ stayer25, cz, se25, 1/se25^2, alpha = 0.1), on the 595 commuting zones of
Chetty and Hendren (2018, doi:10.1093/qje/qjy006) that have all three.
"""

import numpy as np
import pandas as pd
import pytest

from evaluation.gains.critical_values import robust_critical_value, worst_noncoverage
from evaluation.gains.shrinkage import ShrunkenGains, shrink_gains
from tests.conftest import SHARED

# What the figures' own root finder leaves.
CRITICAL_VALUE = 1e-8
# The figures are printed with 12 digits; R's root finder stops earlier.
EBCI = 1e-6

# m2, kappa, alpha, critical value
CVA = [
    (1, np.inf, 0.05, 3.2591985203),
    (1, 3, 0.05, 2.81173182938),
    (4, np.inf, 0.05, 7.2163510571),
    (4, 3, 0.05, 4.6195127237),
    (4, 6, 0.05, 5.55651491179),
    (0.5, 3, 0.1, 2.02117440025),
    (9, 3, 0.1, 5.87459839123),
    (9, 6, 0.1, 7.11308382099),
    (0, 3, 0.05, 1.95996398454),
]


@pytest.mark.parametrize(("m2", "kappa", "alpha", "expected"), CVA)
def test_critical_values_are_those_of_ebci(
    m2: float, kappa: float, alpha: float, expected: float
) -> None:
    found = robust_critical_value(m2, kappa, alpha=alpha)
    assert found == pytest.approx(expected, abs=CRITICAL_VALUE)


@pytest.fixture(scope="module")
def zones() -> ShrunkenGains:
    cz = pd.read_csv(SHARED / "reference" / "data" / "cz.csv")
    return shrink_gains(
        cz["theta25"],
        cz["se25"] ** 2,
        covariates=cz[["stayer25"]],
        weights=1 / cz["se25"] ** 2,
        alpha=0.1,
        precision=False,
    )


@pytest.mark.shared
def test_moments_are_those_of_ebci(zones: ShrunkenGains) -> None:
    assert zones.n == 595
    assert zones.mu2 == pytest.approx(0.00624386663953, rel=EBCI)
    assert zones.kappa == pytest.approx(778.533747961, rel=EBCI)
    expected = [-1.4407519280402, 0.0324467618191]
    np.testing.assert_allclose(zones.coefficients, expected, rtol=EBCI)


@pytest.mark.shared
def test_posteriors_and_intervals_are_those_of_ebci(zones: ShrunkenGains) -> None:
    frame = zones.villages.dropna()
    half = (frame["conf_high"] - frame["conf_low"]) / 2
    np.testing.assert_allclose(
        frame[["weight", "posterior_mean"]][:2],
        [[0.0774548518252, -0.0961859631923], [0.0811997250263, -0.0558143122542]],
        rtol=EBCI,
    )
    np.testing.assert_allclose(half[:2], [0.191624539993, 0.190147814647], rtol=EBCI)
    first = frame["parametric_half_width"].iloc[0]
    assert first == pytest.approx(0.124838309967, rel=EBCI)
    assert half.mean() == pytest.approx(0.1952408830682, rel=EBCI)
    unshrunken = 1.6448536269514722 * np.sqrt(frame["variance"]).mean()
    assert unshrunken == pytest.approx(0.7858001105192, rel=EBCI)


@pytest.mark.shared
def test_noncoverage_of_parametric_intervals_is_that_of_ebci(zones: ShrunkenGains) -> None:
    weight = zones.villages["weight"].dropna().iloc[0]
    critical = 1.6448536269514722 / np.sqrt(weight)
    found = worst_noncoverage(1 / weight - 1, zones.kappa, critical)
    assert found == pytest.approx(0.209861442234, rel=EBCI)
