"""What a reader sees for the words that the data use; said where they are shown."""

from evaluation.language import mark

PILLARS = {
    "party_building": mark("Party building"),
    "industry": mark("Industry"),
    "livelihood": mark("Livelihoods"),
    "secretary_team": mark("The secretaries' own team"),
    "cross": mark("Across all pillars"),
    "context": mark("Context"),
}
STAGES = {
    "context": mark("Context"),
    "input": mark("Inputs"),
    "activity": mark("Activities"),
    "output": mark("Outputs"),
    "outcome": mark("Outcomes"),
}
SCOPES = {
    "city": mark("the whole programme"),
    "county_total": mark("county total"),
    "every_village": mark("every village"),
    "mean_per_village": mark("mean per village"),
    "subset_of_villages": mark("some villages"),
    "group": mark("group of villages"),
    "team": mark("one team"),
    "village": mark("one village"),
    "case": mark("one case"),
}
LADDER = (
    (
        mark("published claims"),
        mark("figures from an official text, often hedged"),
        mark(
            "bounds, arithmetic, cross-checks; no causal effect, no ranking of unlike "
            "definitions"
        ),
    ),
    (
        mark("treated villages only"),
        mark("incomes before and after"),
        mark(
            "change before to after, with a bounded secular trend, and the trend that would "
            "explain it all"
        ),
    ),
    (
        mark("panel with comparison villages"),
        mark("incomes of treated and untreated villages, before and after"),
        mark(
            "counterfactual gains per village, the programme's effect, and how robust both are"
        ),
    ),
)
"""The rungs of evidence: what a study has, and what may be said on it."""
