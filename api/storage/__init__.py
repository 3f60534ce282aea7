"""The log and all that keeps it: PostgreSQL, migrations, the append and the readers."""
