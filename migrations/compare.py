"""Which tables the migrations compare with the models."""


def is_ours(thing, name, type_, reflected, compare_to) -> bool:
    """Procrastinate's tables come from its own schema, in a migration of theirs."""
    table = getattr(thing, "table", thing)
    return not (type_ != "schema" and str(getattr(table, "name", name)).startswith("procrastinate_"))
