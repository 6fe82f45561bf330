"""The page of a report: title, summary, exhibits, references, appendix."""
