"""From a file to a checked table: study.yml, tables, printed figures."""
