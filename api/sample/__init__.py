"""The sample company: a year of invented sales, simulated from behaviours, quotas and a seed."""
