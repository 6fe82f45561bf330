"""A study of three counties to restrict: known by two names, with money of several kinds."""

YEARS = (2018, 2019, 2020, 2021)
STUDY = """
version: 1
name: hills
title: {en: The hills, zh: 山区}
source: {publisher: {en: the office}}
programme: {name: Hills, zh: 山区}
counties:
  - {name: East, zh: 东县}
  - {name: West, zh: 西县}
limits: [{en: A limit.}]
prices: {currency: CNY, basis: nominal, base_year: 2021, index: null}
panel:
  file: villages.csv
  village: {id: id, county: county, town: town}
  year: year
  income:
    operating: {column: operating, unit: 万元}
    subsidy: {column: grants, unit: 万元}
  outcomes:
    poor: {column: poor, label: {en: share of the poor, zh: 贫困率}}
    loans: {column: loans, unit: 万元, scale: log1p}
  analysis: {scale: log, zeros: add_one}
  treatment: {first_year: first}
ledger:
  file: ledger.csv
  village: {id: id, county: county, town: town}
  year: year
  source: source
  amount: {column: amount, unit: 万元}
"""
# County, town, and first treated year of each village, three a county: the files' own names,
# one of them not in study.yml; nobody is treated in the last county.
VILLAGES = {
    "e1": ("东县", "A", "2020"), "e2": ("东县", "A", ""), "e3": ("东县", "B", ""),
    "w1": ("West", "C", "2021"), "w2": ("West", "C", ""), "w3": ("West", "C", ""),
    "n1": ("北县", "D", "2020"), "n2": ("北县", "D", ""), "n3": ("北县", "D", ""),
    "s1": ("南县", "E", ""), "s2": ("南县", "E", ""), "s3": ("南县", "E", ""),
}  # fmt: skip
# Money of a village, of a town, of a county, and of all of them together.
LEDGER = """
id,county,town,year,source,amount
e1,东县,A,2020,财政,10
,东县,B,2020,财政,20
,东县,,2021,社会,30
w1,West,C,2021,财政,500
,Hills,,2021,财政,1000
,,,2021,财政,2000
"""


def write_hills(folder, *, villages=VILLAGES, ledger=LEDGER, years=YEARS):
    """Write the study; incomes differ by village and year, subsidies are a tenth."""
    rows = ["id,county,town,year,first,operating,grants,poor,loans"]
    for number, (key, (county, town, first)) in enumerate(villages.items(), start=1):
        for year in years:
            if key.startswith("w") and year == years[0]:
                continue  # the county has no row of the first year
            income = number + 0.1 * (year - years[0])
            rows.append(f"{key},{county},{town},{year},{first},{income:.1f},{number / 10},9,1")
    (folder / "villages.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "ledger.csv").write_text(ledger.lstrip(), encoding="utf-8")
    (folder / "study.yml").write_text(STUDY, encoding="utf-8")
    return folder
