"""Tables for people: beside one another where words fit, one below the other where they do not."""

from trailstate.cli.terminal import table

COLUMNS = ("verdict", "rule", "resource", "what was found")
ROWS = [
    ("NON_COMPLIANT", "incoming-ssh-disabled", "sg-0123456789abcdef0", "The world reaches TCP 22."),
    ("COMPLIANT", "incoming-ssh-disabled", "sg-1", ""),
]


def test_columns_are_as_wide_as_their_words_where_there_is_room() -> None:
    lines = table(COLUMNS, ROWS, width=76).splitlines()
    assert lines[1].split() == ["NON_COMPLIANT", "incoming-ssh-disabled", "sg-0123456789abcdef0", "The", "world"]
    assert all(len(line) <= 76 for line in lines)
    assert " ".join(each[lines[0].index("what") :].strip() for each in lines[1:]).strip() == ROWS[0][3]


def test_where_there_is_none_each_row_is_a_block() -> None:
    assert table(COLUMNS, ROWS, width=50) == (
        "verdict           NON_COMPLIANT\n"
        "  rule            incoming-ssh-disabled\n"
        "  resource        sg-0123456789abcdef0\n"
        "  what was found  The world reaches TCP 22.\n"
        "verdict           COMPLIANT\n"
        "  rule            incoming-ssh-disabled\n"
        "  resource        sg-1\n"
    )


def test_in_a_pipe_a_row_is_a_line() -> None:
    assert len(table(COLUMNS, ROWS, piped=True).splitlines()) == 3
