"""The figures of the reports: added up by the clock, read at the desk and on the command line."""
