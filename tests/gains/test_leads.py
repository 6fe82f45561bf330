"""Which event times before treatment get a coefficient, and what these are measured from."""

import numpy as np
import pytest

from evaluation.gains.estimate import NoGainsError, estimate_gains
from evaluation.gains.event_study import choose_leads, find_reference
from tests.gains.panels import random_cells, to_panel, typed_cells, typed_panel

# Of 12 years; a cohort's untreated years before it are known.
YEARS = range(2001, 2013)


def panel_of(**villages):
    """Give a panel of so many villages by cohort ("c2007=3"), beside five never treated."""
    rng = np.random.default_rng(1)
    cohorts = [name[1:] for name, n in villages.items() for _ in range(n)] + ["-"] * 5
    rows = [
        f"v{i} {cohort} {' '.join(f'{y:.3f}' for y in rng.normal(size=len(YEARS)))}"
        for i, cohort in enumerate(cohorts)
    ]
    return typed_panel("\n".join([f"village cohort {' '.join(map(str, YEARS))}", *rows]))


def design(panel, **options):
    return estimate_gains(panel, **options).fit.design


def test_half_of_the_event_times_stay_as_reference():
    # -6 is known of the second cohort alone: it is no reference for the first.
    found = design(panel_of(c2006=4, c2007=2))
    leads = choose_leads(found, None)
    assert leads == (-3, -2, -1)
    assert find_reference(found, leads) == ([-6, -5, -4], 4 + 2)


def test_no_more_than_five_get_a_coefficient():
    found = design(panel_of(c2012=4))
    assert choose_leads(found, None) == (-5, -4, -3, -2, -1)
    assert find_reference(found, (-5,)) == ([-11, -10, -9, -8, -7, -6], 4)


@pytest.mark.parametrize(
    ("early", "leads"),
    [
        (2, (-5, -4, -3, -2, -1)),  # 2 of 20 villages are left without a reference
        (3, (-2, -1)),  # 3 of 21 would be: of their three years one stays
    ],
)
def test_nine_in_ten_villages_keep_a_year_of_the_reference(early, leads):
    assert choose_leads(design(panel_of(c2004=early, c2012=18)), None) == leads


def test_a_single_untreated_year_holds_nothing_back():
    assert choose_leads(design(panel_of(c2002=30, c2012=2)), None) == (-5, -4, -3, -2, -1)


def test_as_many_leads_as_asked_for_but_the_earliest():
    found = design(panel_of(c2006=4, c2007=2))
    assert choose_leads(found, 4) == (-4, -3, -2, -1)
    assert choose_leads(found, 99) == (-5, -4, -3, -2, -1)
    assert choose_leads(found, 0) == ()


def test_with_one_year_before_there_are_none():
    assert choose_leads(design(panel_of(c2002=4)), None) == ()


def test_trends_keep_two_years_of_the_reference():
    panel = panel_of(c2004=4)
    assert choose_leads(design(panel), None) == (-1,)
    assert choose_leads(design(panel, trends=True), None) == (-1,)
    panel = panel_of(c2003=4)
    assert choose_leads(design(panel), None) == (-1,)
    assert choose_leads(design(panel, trends=True), None) == ()


def test_leads_that_trends_take_up_say_so():
    panel = panel_of(c2007=4)
    plain = estimate_gains(panel).event_study(leads=5)
    assert not plain["reason"].str.contains("not identified").any()
    trends = estimate_gains(panel, trends=True).event_study(leads=5)
    before = trends[trends["period"] == "before"]
    assert set(before["reason"]) == {"not identified: villages' own trends take it up"}
    by_default = estimate_gains(panel, trends=True).event_study()
    assert by_default.loc[-3:-1, "estimate"].notna().all()


def test_leads_in_years_without_comparison_say_so_with_trends_too():
    cells = typed_cells(
        """
        village cohort 2001 2002 2003 2004 2005 2006 2007
        A       2007   1    2    1    3    2    1    4
        B       2007   2    3    3    1    2    2    5
        C       -      1    2    1    1    1    -    3
        D       -      3    1    2    2    1    -    2
        """
    )
    for trends in (False, True):
        found = estimate_gains(to_panel(cells), trends=trends).event_study(leads=1)
        assert (
            found.loc[-1, "reason"] == "not identified: no village known then to compare with"
        )


def test_too_few_clusters_for_leads_are_counted():
    cells = random_cells(1, n_counties=4)
    before = estimate_gains(to_panel(cells)).event_study(leads=1)
    assert before.loc[-1, "reason"] == "4 clusters; 95% needs 6"


def test_without_any_gain_it_is_said_why():
    why = r"a gain: 4 with no untreated year with a known outcome. Lower anticipation \(20\)"
    with pytest.raises(NoGainsError, match=why):
        estimate_gains(panel_of(c2006=4), anticipation=20)
