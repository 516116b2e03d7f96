"""The report: pictures of the tables, the nine answers and the state of the checks, as a page and as files."""
