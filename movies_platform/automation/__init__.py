"""How work starts: jobs, conditions, sensors; and how people are told when it does not end well."""
