from datetime import UTC, datetime

from trailstate.trail import window
from trailstate.trail.window import Gathering, Lane, Window, boundary, positions, window_of

LANE = Lane(
    trail="arn:aws:cloudtrail:us-east-1:111122223333:trail/all",
    account="111122223333",
    region="eu-west-1",
    bucket="evidence",
    folder="logs/AWSLogs/",
)
NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def test_a_file_is_named_for_the_end_of_its_window() -> None:
    cut = Window(LANE, ((4, 9),), NOON, "0123456789abcdef")
    assert cut.key == (
        "logs/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/01/15/"
        "111122223333_CloudTrail_eu-west-1_20260115T1200Z_0123456789abcdef.json.gz"
    )


def test_a_window_comes_back_from_its_row() -> None:
    cut = Window(LANE, ((4, 9), (12, 12)), NOON, "0123456789abcdef")
    row = cut.row()
    assert window_of(row) == cut
    assert row.queue == "delivery/arn:aws:cloudtrail:us-east-1:111122223333:trail/all/111122223333/eu-west-1"
    assert row.id == f"{row.queue}/4"


def test_a_window_is_cut_at_the_next_multiple() -> None:
    assert boundary(datetime(2026, 1, 15, 11, 55, 0, 1, tzinfo=UTC), 300) == NOON
    assert boundary(datetime(2026, 1, 15, 11, 59, 59, 999999, tzinfo=UTC), 300) == NOON
    assert boundary(NOON, 300) == datetime(2026, 1, 15, 12, 5, tzinfo=UTC)


def test_positions_are_kept_as_spans() -> None:
    gathering = Gathering()
    for position in (3, 4, 5, 9, 11, 12):
        gathering.add(position, 1_500)
    assert gathering.files == [[(3, 5), (9, 9), (11, 12)]]
    assert list(positions(gathering.files[0])) == [3, 4, 5, 9, 11, 12]


def test_no_file_grows_beyond_what_a_log_file_may_hold() -> None:
    gathering = Gathering()
    half = window.FILE_BYTES_MAX // 2
    for position in range(1, 6):
        gathering.add(position, half - 1)
    assert gathering.files == [[(1, 2)], [(3, 4)], [(5, 5)]]
