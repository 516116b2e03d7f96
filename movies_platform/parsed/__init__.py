"""Stage parsed: the accepted records of a month, typed; what did not fit is in raw.data_issues."""
