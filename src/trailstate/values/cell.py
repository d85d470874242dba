"""A cell of CSV that no spreadsheet takes for a formula (OWASP, "CSV Injection").

https://owasp.org/www-community/attacks/CSV_Injection
"""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def disarmed(cell: str) -> str:
    """The text, behind an apostrophe if it begins as formulas do."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
