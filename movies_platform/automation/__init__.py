"""How work starts by itself (jobs, conditions, sensors), and how people hear of what ends badly."""
