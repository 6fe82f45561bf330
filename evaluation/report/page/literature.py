"""The literature that methods are from, and the exhibits that use them."""

from __future__ import annotations

from typing import NamedTuple


class Reference(NamedTuple):
    """A source of a method, and the exhibits that use it.

    ``exhibits`` are names, parted by blanks; ``*`` stands for any end. ``only`` are texts by
    column or parameter: an exhibit then uses it only where one row that has an estimate, if
    it is of estimates, holds them.
    """

    authors: str
    year: int
    title: str
    journal: str
    doi: str
    exhibits: str
    only: tuple[tuple[str, str], ...] = ()


_GAINS = "gains_summary counterfactual event_study* gains_by_* village_gains"
_EFFECTS = "effects event_studies effects_by_event_time"
_AVERAGES = f"{_EFFECTS} event_study_table gains_by_* drivers check_few_clusters"
_FRONTIER = "frontier_plot frontier"

REFERENCES = (
    Reference(
        "Abadie, A.", 2005, "Semiparametric Difference-in-Differences Estimators",
        "Review of Economic Studies", "10.1111/0034-6527.00321", _EFFECTS,
        (("estimator", "matched_did"), ("matching", "propensity")),
    ),
    Reference(
        "Andrews, I., Roth, J., Pakes, A.", 2023,
        "Inference for Linear Conditional Moment Inequalities", "Review of Economic Studies",
        "10.1093/restud/rdad004", "check_relative_magnitudes",
    ),
    Reference(
        "Arkhangelsky, D., Athey, S., Hirshberg, D. A., Imbens, G. W., Wager, S.", 2021,
        "Synthetic Difference-in-Differences", "American Economic Review",
        "10.1257/aer.20190159", _EFFECTS, (("estimator", "synthetic_did"),),
    ),
    Reference(
        "Armstrong, T. B., Kolesár, M., Plagborg-Møller, M.", 2022,
        "Robust Empirical Bayes Confidence Intervals", "Econometrica", "10.3982/ECTA18597",
        "gain_distribution gain_intervals selected_villages gain_map",
    ),
    Reference(
        "Austin, P. C.", 2009,
        "Balance Diagnostics for Comparing the Distribution of Baseline Covariates between "
        "Treatment Groups in Propensity-Score Matched Samples", "Statistics in Medicine",
        "10.1002/sim.3697", "arm_balance",
    ),
    Reference(
        "Banker, R. D., Charnes, A., Cooper, W. W.", 1984,
        "Some Models for Estimating Technical and Scale Inefficiencies in Data Envelopment "
        "Analysis", "Management Science", "10.1287/mnsc.30.9.1078", _FRONTIER,
    ),
    Reference(
        "Borusyak, K., Jaravel, X., Spiess, J.", 2024,
        "Revisiting Event-Study Designs: Robust and Efficient Estimation",
        "Review of Economic Studies", "10.1093/restud/rdae007",
        f"{_GAINS} {_EFFECTS} robustness",
    ),
    Reference(
        "Callaway, B., Goodman-Bacon, A., Sant'Anna, P. H. C.", 2024,
        "Difference-in-Differences with a Continuous Treatment", "NBER Working Paper 32117",
        "10.3386/w32117", "dose_response marginal_returns",
    ),
    Reference(
        "Callaway, B., Sant'Anna, P. H. C.", 2021,
        "Difference-in-Differences with Multiple Time Periods", "Journal of Econometrics",
        "10.1016/j.jeconom.2020.12.001", f"{_EFFECTS} check_pre_trend*",
    ),
    Reference(
        "Cameron, A. C., Gelbach, J. B., Miller, D. L.", 2008,
        "Bootstrap-Based Improvements for Inference with Clustered Errors",
        "Review of Economics and Statistics", "10.1162/rest.90.3.414", _AVERAGES,
        (("method", "wild bootstrap"),),
    ),
    Reference(
        "Carter, A. V., Schnepel, K. T., Steigerwald, D. G.", 2017,
        "Asymptotic Behavior of a t-Test Robust to Cluster Heterogeneity",
        "Review of Economics and Statistics", "10.1162/REST_a_00639",
        "check_few_clusters effects",
    ),
    Reference(
        "Charnes, A., Cooper, W. W., Thrall, R. M.", 1991,
        "A Structure for Classifying and Characterizing Efficiency and Inefficiency in Data "
        "Envelopment Analysis", "Journal of Productivity Analysis", "10.1007/BF00159732",
        _FRONTIER,
    ),
    Reference(
        "Conley, T. G., Taber, C. R.", 2011,
        "Inference with “Difference in Differences” with a Small Number of Policy Changes",
        "Review of Economics and Statistics", "10.1162/REST_a_00049", _AVERAGES,
        (("method", "placebos"),),
    ),
    Reference(
        "Daraio, C., Simar, L.", 2007,
        "Advanced Robust and Nonparametric Methods in Efficiency Analysis", "Springer",
        "10.1007/978-0-387-35231-2", _FRONTIER,
    ),
    Reference(
        "de Chaisemartin, C., D'Haultfœuille, X.", 2020,
        "Two-Way Fixed Effects Estimators with Heterogeneous Treatment Effects",
        "American Economic Review", "10.1257/aer.20181169", "twfe_decomposition",
    ),
    Reference(
        "Duan, N.", 1983, "Smearing Estimate: A Nonparametric Retransformation Method",
        "Journal of the American Statistical Association", "10.1080/01621459.1983.10478017",
        "gains_summary", (("what", "10.1080/01621459.1983.10478017"),),
    ),
    Reference(
        "Farrell, M. J.", 1957, "The Measurement of Productive Efficiency",
        "Journal of the Royal Statistical Society A", "10.2307/2343100", _FRONTIER,
    ),
    Reference(
        "Fieller, E. C.", 1954, "Some Problems in Interval Estimation",
        "Journal of the Royal Statistical Society B",
        "10.1111/j.2517-6161.1954.tb00159.x", "sustainability",
    ),
    Reference(
        "Gleser, L. J., Hwang, J. T.", 1987,
        "The Nonexistence of 100(1-α)% Confidence Sets of Finite Expected Diameter in "
        "Errors-in-Variables and Related Models", "Annals of Statistics",
        "10.1214/aos/1176350597", "sustainability",
    ),
    Reference(
        "Goodman-Bacon, A.", 2021,
        "Difference-in-Differences with Variation in Treatment Timing",
        "Journal of Econometrics", "10.1016/j.jeconom.2021.03.014", "twfe_decomposition",
    ),
    Reference(
        "Gu, J., Koenker, R.", 2023,
        "Invidious Comparisons: Ranking and Selection as Compound Decisions", "Econometrica",
        "10.3982/ECTA19304", "selected_villages",
    ),
    Reference(
        "Hainmueller, J.", 2012,
        "Entropy Balancing for Causal Effects: A Multivariate Reweighting Method to Produce "
        "Balanced Samples in Observational Studies", "Political Analysis",
        "10.1093/pan/mpr025", _EFFECTS,
        (("estimator", "matched_did"), ("matching", "entropy")),
    ),
    Reference(
        "Hendren, N., Sprung-Keyser, B.", 2020,
        "A Unified Welfare Analysis of Government Policies",
        "Quarterly Journal of Economics", "10.1093/qje/qjaa006", "public_value",
    ),
    Reference(
        "Imbens, G. W., Manski, C. F.", 2004,
        "Confidence Intervals for Partially Identified Parameters", "Econometrica",
        "10.1111/j.1468-0262.2004.00555.x", "check_attrition",
    ),
    Reference(
        "Imbens, G. W., Rubin, D. B.", 2015,
        "Causal Inference for Statistics, Social, and Biomedical Sciences",
        "Cambridge University Press", "10.1017/CBO9781139025751", "arm_balance",
    ),
    Reference(
        "Kakwani, N., Wagstaff, A., van Doorslaer, E.", 1997,
        "Socioeconomic Inequalities in Health: Measurement, Computation, and Statistical "
        "Inference", "Journal of Econometrics", "10.1016/S0304-4076(96)01807-6",
        "funds_spread",
    ),
    Reference(
        "Kline, P., Santos, A.", 2012, "A Score Based Approach to Wild Bootstrap Inference",
        "Journal of Econometric Methods", "10.1515/2156-6674.1006",
        "check_few_clusters check_anticipation",
    ),
    Reference(
        "Lee, D. S.", 2009,
        "Training, Wages, and Sample Selection: Estimating Sharp Bounds on Treatment Effects",
        "Review of Economic Studies", "10.1111/j.1467-937X.2009.00536.x", "check_attrition",
    ),
    Reference(
        "Lewis, J. B., Linzer, D. A.", 2005,
        "Estimating Regression Models in Which the Dependent Variable Is Based on Estimates",
        "Political Analysis", "10.1093/pan/mpi026", "drivers",
    ),
    Reference(
        "MacKinnon, J. G., Nielsen, M. Ø., Webb, M. D.", 2023,
        "Cluster-Robust Inference: A Guide to Empirical Practice", "Journal of Econometrics",
        "10.1016/j.jeconom.2022.04.001", "check_few_clusters",
    ),
    Reference(
        "MacKinnon, J. G., Nielsen, M. Ø., Webb, M. D.", 2023,
        "Fast and Reliable Jackknife and Bootstrap Methods for Cluster-Robust Inference",
        "Journal of Applied Econometrics", "10.1002/jae.2969", _AVERAGES,
        (("method", "wild bootstrap"),),
    ),
    Reference(
        "Manski, C. F.", 2003, "Partial Identification of Probability Distributions",
        "Springer", "10.1007/b97478", "findings",
    ),
    Reference(
        "Manski, C. F., Pepper, J. V.", 2018,
        "How Do Right-to-Carry Laws Affect Crime Rates? Coping with Ambiguity Using "
        "Bounded-Variation Assumptions", "Review of Economics and Statistics",
        "10.1162/REST_a_00689", "trend_bounds claimed_gains change_per_yuan",
    ),
    Reference(
        "Mogstad, M., Romano, J. P., Shaikh, A. M., Wilhelm, D.", 2024,
        "Inference for Ranks with Applications to Mobility across Neighbourhoods and Academic "
        "Achievement across Countries", "Review of Economic Studies",
        "10.1093/restud/rdad006", "county_ranks",
    ),
    Reference(
        "Moore, R. E., Kearfott, R. B., Cloud, M. J.", 2009,
        "Introduction to Interval Analysis", "SIAM", "10.1137/1.9780898717716",
        "findings crosschecks",
    ),
    Reference(
        "Rambachan, A., Roth, J.", 2023, "A More Credible Approach to Parallel Trends",
        "Review of Economic Studies", "10.1093/restud/rdad018",
        "check_relative_magnitudes check_smoothness",
    ),
    Reference(
        "Romano, J. P., Wolf, M.", 2005,
        "Exact and Approximate Stepdown Methods for Multiple Hypothesis Testing",
        "Journal of the American Statistical Association", "10.1198/016214504000000539",
        "check_outcome_families heterogeneity",
    ),
    Reference(
        "Romano, J. P., Wolf, M.", 2016,
        "Efficient Computation of Adjusted p-Values for Resampling-Based Stepdown Multiple "
        "Testing", "Statistics and Probability Letters", "10.1016/j.spl.2016.02.012",
        "check_outcome_families",
    ),
    Reference(
        "Roth, J.", 2022,
        "Pretest with Caution: Event-Study Estimates after Testing for Parallel Trends",
        "American Economic Review: Insights", "10.1257/aeri.20210236",
        "check_pre_trend check_pre_trend_power",
    ),
    Reference(
        "Simar, L., Wilson, P. W.", 1998,
        "Sensitivity Analysis of Efficiency Scores: How to Bootstrap in Nonparametric "
        "Frontier Models", "Management Science", "10.1287/mnsc.44.1.49", _FRONTIER,
    ),
    Reference(
        "Simar, L., Wilson, P. W.", 2000,
        "A General Methodology for Bootstrapping in Non-Parametric Frontier Models",
        "Journal of Applied Statistics", "10.1080/02664760050081951", _FRONTIER,
    ),
    Reference(
        "Simonsohn, U., Simmons, J. P., Nelson, L. D.", 2020, "Specification Curve Analysis",
        "Nature Human Behaviour", "10.1038/s41562-020-0912-z", "specification_curve",
    ),
    Reference(
        "Smyth, G. K.", 2004,
        "Linear Models and Empirical Bayes Methods for Assessing Differential Expression in "
        "Microarray Experiments",
        "Statistical Applications in Genetics and Molecular Biology",
        "10.2202/1544-6115.1027", "gain_distribution",
    ),
    Reference(
        "Sun, L., Abraham, S.", 2021,
        "Estimating Dynamic Treatment Effects in Event Studies with Heterogeneous Treatment "
        "Effects", "Journal of Econometrics", "10.1016/j.jeconom.2020.09.006", _EFFECTS,
        (("estimator", "sun_abraham"),),
    ),
    Reference(
        "Thompson, S. G., Higgins, J. P. T.", 2002,
        "How Should Meta-Regression Analyses Be Undertaken and Interpreted?",
        "Statistics in Medicine", "10.1002/sim.1187", "drivers",
    ),
    Reference(
        "Wu, J., Ding, P.", 2021,
        "Randomization Tests for Weak Null Hypotheses in Randomized Experiments",
        "Journal of the American Statistical Association", "10.1080/01621459.2020.1750415",
        "check_randomisation",
    ),
)  # fmt: skip
"""By author and year."""
