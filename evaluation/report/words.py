"""What a reader sees for the words that the data use."""

PILLARS = {
    "party_building": "Party building 抓党建",
    "industry": "Industry 兴产业",
    "livelihood": "Livelihoods 惠民生",
    "secretary_team": "The secretaries' own team 带队伍",
    "cross": "Across all pillars",
    "context": "Context",
}
STAGES = {
    "context": "Context",
    "input": "Inputs",
    "activity": "Activities",
    "output": "Outputs",
    "outcome": "Outcomes",
}
SCOPES = {
    "city": "the whole programme",
    "county_total": "county total",
    "every_village": "every village",
    "mean_per_village": "mean per village",
    "subset_of_villages": "some villages",
    "group": "group of villages",
    "team": "one team",
    "village": "one village",
    "case": "one case",
}
LADDER = (
    (
        "published claims",
        "figures from an official text, often hedged",
        "bounds, arithmetic, cross-checks; no causal effect, no ranking of unlike definitions",
    ),
    (
        "treated villages only",
        "incomes before and after",
        "change before to after, with a bounded secular trend, and the trend that would "
        "explain it all",
    ),
    (
        "panel with comparison villages",
        "incomes of treated and untreated villages, before and after",
        "counterfactual gains per village, the programme's effect, and how robust both are",
    ),
)
"""The rungs of evidence: what a study has, and what may be said on it."""
