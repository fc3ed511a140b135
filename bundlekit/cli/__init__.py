"""The command line: parse, call the use case, report, exit; one module for each family of commands."""
