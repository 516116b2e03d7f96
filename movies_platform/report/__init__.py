"""The report: charts of the tables, the answers year by year and the state of the checks, as a page and as files."""
