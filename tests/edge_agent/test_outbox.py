import errno
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edge_agent.backlog import rows_of_backlog
from edge_agent.outbox import Outbox, OutboxError, OutboxWriteError, segment_log
from edge_agent.outbox import outbox as outbox_module
from tests.edge_agent.outbox_helpers import Recorder, abandon, rows, values_in, write_files
from wire_format.batch import Column, DeviceRows
from wire_format.codec import decode_contents, decode_rows, encode_rows
from wire_format.events import Event

MANY = 1024 * 1024 * 1024


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of few records, each of which leaves the journal as soon as there is another one."""
    monkeypatch.setattr(outbox_module, "MAX_SEGMENT_BYTES", 700)
    monkeypatch.setattr(outbox_module, "MAX_JOURNAL_RECORDS", 1)


def segment_files(directory: Path) -> list[Path]:
    return sorted(directory.glob("segment-*.log"))


def test_records_come_back_with_their_header(tmp_path: Path) -> None:
    with Outbox.open(tmp_path / "outbox", max_bytes=MANY) as outbox:
        second = DeviceRows("b", (500, 9000), (Column("frequency", "Hz", 0, (50, None)),))
        assert outbox.append([*rows(7), second], "ntp", b"state") == 1
        (record,) = outbox.read(range(1, 2))
        assert decode_rows(record.payload) == ((*rows(7), second), "ntp")
        assert (record.number, record.first_ms, record.last_ms) == (1, 500, 9000)
        assert (record.row_count, record.value_count) == (3, 2)
        assert outbox.unacknowledged() == [range(1, 2)]
        assert outbox.last_state == b"state"


def test_events_stay_with_their_record_through_a_restart_and_are_joined_with_others(tmp_path: Path) -> None:
    happened = [Event("oven", "counter_reset", number, numbers={"before": 1.5}) for number in range(3)]
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        outbox.append(rows(1), "ntp", b"", happened[:1])
        outbox.append([], "ntp", b"", happened[1:2])
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        outbox.append(rows(3), "ntp", b"", happened[2:])
        kept = [decode_contents(record.payload) for record in outbox.read(range(1, 9))]
        batch = rows_of_backlog(outbox, range(1, 4), 60_000)
    assert [event for contents in kept for event in contents.events] == happened
    assert batch is not None
    assert decode_contents(batch.payload).events == tuple(happened)


def test_a_journal_in_memory_survives_a_kill_and_not_a_power_cut(tmp_path: Path) -> None:
    directory, memory = tmp_path / "outbox", tmp_path / "memory"

    def opened(journal: Path | None) -> Outbox:
        return Outbox.open(directory, max_bytes=MANY, journal_directory=journal)

    first = opened(None)
    first.append(rows(1), "ntp", b"")
    abandon(first)
    second = opened(memory)
    second.append(rows(2), "ntp", b"")
    second.sync()
    second.append(rows(3), "ntp", b"state")
    abandon(second)
    assert not list(directory.glob("journal-*"))
    third = opened(memory)
    assert (values_in(third), third.last_state) == ([1, 2, 3], b"state")
    third.append(rows(4), "ntp", b"")
    abandon(third)
    for path in memory.iterdir():
        path.unlink()
    with opened(memory) as after_cut:
        assert values_in(after_cut) == [1, 2, 3]


def test_too_many_events_become_several_records(tmp_path: Path) -> None:
    happened = [Event("oven", "counter_reset", number) for number in range(2500)]
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        outbox.append(rows(1), "ntp", b"", happened)
        kept = [decode_contents(record.payload) for record in outbox.read(range(1, 20))]
    assert [event for contents in kept for event in contents.events] == happened
    assert [entry.device for contents in kept for entry in contents.devices] == ["oven-meter"]


def test_numbers_go_on_after_a_restart_even_when_all_is_acknowledged(tmp_path: Path) -> None:
    for start in (1, 4, 7):
        with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
            assert outbox.unacknowledged() == []
            for number in range(start, start + 3):
                assert outbox.append(rows(number), "ntp", b"%d" % number) == number
            outbox.acknowledge(range(start, start + 3))
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        assert outbox.last_state == b"9"


def test_acknowledged_in_any_order(tmp_path: Path) -> None:
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        for value in range(1, 11):
            outbox.append(rows(value), "ntp", b"")
        outbox.acknowledge(range(8, 10))
        outbox.acknowledge(range(2, 4))
        outbox.acknowledge(range(2, 4))
        outbox.acknowledge(range(100, 200))
        left = [range(1, 2), range(4, 8), range(10, 11)]
        assert outbox.unacknowledged() == left
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        assert outbox.unacknowledged() == left
        assert values_in(outbox) == [1, 4, 5, 6, 7, 10]
        assert outbox.append(rows(11), "ntp", b"") == 11


@pytest.mark.usefixtures("small_segments")
def test_wholly_acknowledged_segments_go_and_the_state_stays(tmp_path: Path) -> None:
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        for value in range(1, 41):
            outbox.append(rows(value), "ntp", b"state %d" % value)
        before = len(segment_files(tmp_path))
        assert before > 5
        outbox.acknowledge(range(10, 41))
        outbox.sync()
        assert 2 < len(segment_files(tmp_path)) < before
        outbox.acknowledge(range(1, 10))
        outbox.sync()
        assert len(segment_files(tmp_path)) == 1
        assert outbox.bytes_used == sum(path.stat().st_size for path in tmp_path.glob("*.log"))
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        assert outbox.unacknowledged() == []
        assert outbox.last_state == b"state 40"
        assert outbox.append(rows(41), "ntp", b"") == 41
        assert not outbox.report.lost


@pytest.mark.usefixtures("small_segments")
def test_a_segment_deleted_from_the_middle_is_not_missed(tmp_path: Path) -> None:
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        for value in range(1, 41):
            outbox.append(rows(value), "ntp", b"")
        outbox.acknowledge(range(5, 38))
        outbox.sync()
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        assert values_in(outbox) == [1, 2, 3, 4, 38, 39, 40]
        assert not outbox.report.lost


@pytest.mark.usefixtures("small_segments")
def test_only_the_newest_segment_is_read_at_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        for value in range(1, 41):
            outbox.append(rows(value), "ntp", b"")
    read: list[Path] = []
    real = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        read.append(path)
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        assert [path for path in read if path.name.startswith("segment")] == segment_files(tmp_path)[-1:]
        assert values_in(outbox) == list(range(1, 41))


def test_rows_too_large_for_a_batch_become_several_records(tmp_path: Path) -> None:
    columns = tuple(Column(f"q{number}", "1", 0, (number,)) for number in range(1500))
    devices = [DeviceRows("wide", (1000,), columns)]
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        assert outbox.append(devices, "ntp", b"state") == 2
        parts = [decode_rows(record.payload)[0][0] for record in outbox.read(range(1, 3))]
        assert [column.quantity for part in parts for column in part.columns] == [column.quantity for column in columns]
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        assert outbox.last_state == b"state"


def test_an_unchanged_state_takes_no_room_and_a_little_change_little(tmp_path: Path) -> None:
    state = os.urandom(4000)
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        outbox.append(rows(1), "ntp", state)
        whole = outbox.bytes_used
        outbox.append(rows(1), "ntp", state)
        assert outbox.bytes_used - whole < 200
        for index in range(100):
            changed = bytearray(state)
            changed[index * 7] ^= 1
            outbox.append(rows(1), "ntp", bytes(changed))
        assert outbox.bytes_used < 102 * 200 + 3 * 4100
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        assert outbox.last_state == bytes(changed)


@pytest.mark.usefixtures("small_segments")
def test_every_prefix_of_what_was_written_opens_with_every_whole_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(tmp_path / "recorded")
    done: list[tuple[int, str, int]] = []  # operations after which an append, or an acknowledgement, was complete
    with monkeypatch.context() as patched:
        recorder.install(patched)
        outbox = Outbox.open(recorder.directory, max_bytes=MANY)
        for value in range(1, 21):
            assert outbox.append(rows(value), "ntp", b"the state is %d" % value) == value
            done.append((len(recorder.operations), "append", value))
            if value > 3:
                acknowledged = value - 3 if value % 7 else value
                outbox.acknowledge(range(acknowledged, acknowledged + 1))
                done.append((len(recorder.operations), "acknowledge", acknowledged))
            if value % 9 == 0:
                outbox.acknowledge(range(1, value - 3))
                done += [(len(recorder.operations), "acknowledge", number) for number in range(1, value - 3)]
                outbox.sync()
        outbox.close()
    assert any(operation.kind == "unlink" for operation in recorder.operations)

    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, lambda _: None)  # for speed: the machine stays up
    tried = 0
    for count, files in recorder.prefixes():
        tried += 1
        directory = tmp_path / f"{tried}"
        write_files(directory, files)
        appended = [number for at, kind, number in done if kind == "append" and at <= count]
        later = done[len([1 for at, _, _ in done if at <= count]) :]
        before = {number for at, kind, number in done if kind == "acknowledge" and at <= count}
        maybe_acknowledged = {number for _, kind, number in later if kind == "acknowledge"}
        with Outbox.open(directory, max_bytes=MANY) as outbox:
            values = values_in(outbox)
            assert not outbox.report.lost
            assert not outbox.report.damaged_files
            assert set(appended) - before - maybe_acknowledged <= set(values)
            assert not before & set(values)
            newest = max(appended, default=0)
            assert max([*values, 0]) <= newest + 1
            expected = {b"the state is %d" % number for number in (newest, newest + 1) if number}
            assert outbox.last_state in {*expected, *([b""] if not newest else [])}
            assert outbox.append(rows(99), "ntp", b"") > newest
            assert values_in(outbox) == [*values, 99]
    assert tried > 2000


def damage(path: Path, needle: bytes) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(needle) + 2] ^= 0xFF
    path.write_bytes(bytes(data))


def payload_of(value: int) -> bytes:
    return encode_rows(rows(value), "ntp")[-12:]


@pytest.mark.usefixtures("small_segments")
@pytest.mark.parametrize("value", [1, 7, 39])
def test_a_damaged_record_costs_that_record_only(tmp_path: Path, value: int) -> None:
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        for number in range(1, 41):
            outbox.append(rows(number), "ntp", b"state %d" % number)
    (path,) = [path for path in segment_files(tmp_path) if payload_of(value) in path.read_bytes()]
    damage(path, payload_of(value))
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        assert values_in(outbox) == [number for number in range(1, 41) if number != value]
        assert [lost.numbers for lost in outbox.report.lost] == [range(value, value + 1)]
        assert list(outbox.report.damaged_files) == [path]
        assert outbox.last_state == b"state 40"
        assert outbox.append(rows(41), "ntp", b"state 41") == 41
        outbox.acknowledge(range(1, 42))
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        assert (outbox.unacknowledged(), outbox.last_state) == ([], b"state 41")


@pytest.mark.usefixtures("small_segments")
def test_a_damaged_checkpoint_is_made_up_for_by_older_segments(tmp_path: Path) -> None:
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        for number in range(1, 41):
            outbox.append(rows(number), "ntp", b"state %d" % number)
        outbox.acknowledge(range(3, 30))
    newest = segment_files(tmp_path)[-1]
    data = bytearray(newest.read_bytes())
    data[30] ^= 0xFF
    newest.write_bytes(bytes(data))
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        assert set(range(30, 41)) | {1, 2} <= set(values_in(outbox))
        assert not outbox.report.lost
        assert outbox.append(rows(41), "ntp", b"") == 41


def test_garbage_files_never_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "segment-00000000000000000005.log").write_bytes(os.urandom(5000))
    (tmp_path / "segment-00000000000000000009.log").write_bytes(b"")
    (tmp_path / "segment-00000000000000000003.new").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("not ours")
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        assert outbox.unacknowledged() == []
        assert outbox.append(rows(1), "ntp", b"") == 9
        assert values_in(outbox) == [1]


def test_a_newer_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(segment_log, "FORMAT", 3)
        with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
            outbox.append(rows(1), "ntp", b"")
    with pytest.raises(OutboxError, match="newer release"):
        Outbox.open(tmp_path, max_bytes=MANY)


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    attempt = (
        "import sys, pathlib; from edge_agent.outbox import Outbox; Outbox.open(pathlib.Path(sys.argv[1]), max_bytes=1)"
    )
    with Outbox.open(tmp_path, max_bytes=MANY):
        ended = subprocess.run(
            [sys.executable, "-c", attempt, tmp_path], capture_output=True, text=True, check=False, timeout=30
        )
        assert "in use by another process" in ended.stderr
    Outbox.open(tmp_path, max_bytes=MANY).close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutboxError, match="cannot make the folder"):
        Outbox.open(tmp_path / "file" / "outbox", max_bytes=MANY)


def test_a_full_disk_leaves_no_half_record_and_writing_goes_on_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        outbox.append(rows(1), "ntp", b"one")
        size = (tmp_path / "journal-1.log").stat().st_size
        real = os.pwrite

        def some_then_full(descriptor: int, data: memoryview, offset: int) -> int:
            if len(data) > 50:
                return real(descriptor, data[:50], offset)
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(os, "pwrite", some_then_full)
            with pytest.raises(OutboxWriteError, match="No space left"):
                outbox.append(rows(2), "ntp", b"two")
            outbox.acknowledge(range(1, 2))
        assert (tmp_path / "journal-1.log").stat().st_size == size
        assert outbox.unacknowledged() == []
        assert outbox.last_state == b"one"
        assert outbox.append(rows(3), "ntp", b"three") == 2
        assert values_in(outbox) == [3]
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        assert 3 in values_in(outbox)
        assert outbox.last_state == b"three"


APPEND_FOR_EVER = """
import pathlib, sys
from edge_agent.outbox import Outbox
from tests.edge_agent.outbox_helpers import rows
outbox = Outbox.open(pathlib.Path(sys.argv[1]), max_bytes=10_000_000)
while True:
    number = outbox.append(rows(outbox.next_number), "ntp", b"%d" % outbox.next_number)
    if number % 3 == 0:
        outbox.acknowledge(range(number, number + 1))
    print(number, flush=True)
"""


def test_a_killed_process_leaves_every_record_that_it_was_told_of(tmp_path: Path) -> None:
    told = 0
    interrupted: set[int] = set()
    for _ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", APPEND_FOR_EVER, tmp_path], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
        )
        assert process.stdout is not None
        for _ in range(200):
            told = int(process.stdout.readline())
        process.kill()
        told = max([told, *(int(line) for line in process.stdout.read().split()[:-1])])
        process.wait()
        process.stdout.close()
        with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
            values = values_in(outbox)
            kept = [number for number in values if number <= told]
            # One that was killed between its record and the release of it keeps the record.
            assert [number for number in kept if number not in interrupted] == [
                number for number in range(1, told + 1) if number % 3
            ]
            interrupted |= {number for number in range(told + 1, outbox.next_number) if number % 3 == 0}
            assert outbox.next_number > told
            assert int(outbox.last_state) == outbox.next_number - 1
            assert not outbox.report.lost


def append_until_full(outbox: Outbox) -> int:
    for number in range(1, 10_000):
        try:
            outbox.append(rows(number), "ntp", b"")
        except OutboxWriteError:
            return number - 1
    raise AssertionError("never full")


def test_a_really_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True, check=False, timeout=10
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        with Outbox.open(disk / "outbox", max_bytes=MANY) as outbox:
            number = append_until_full(outbox)
            assert 100 < number < 10_000
            assert values_in(outbox) == list(range(1, number + 1))
        with Outbox.open(disk / "outbox", max_bytes=MANY) as outbox:
            assert values_in(outbox) == list(range(1, number + 1))
            assert outbox.report.torn_bytes == 0
    finally:
        subprocess.run(["umount", disk], check=True, timeout=10)


def test_a_full_outbox_cuts_the_oldest_and_says_so(tmp_path: Path) -> None:
    with Outbox.open(tmp_path, max_bytes=65_536) as outbox:
        # One row each 15 minutes: there is nothing to thin.
        chance = random.Random(5)
        for number in range(1, 20_001):
            outbox.append(rows(900 * number + chance.randrange(400)), "ntp", b"state %d" % number)
            assert outbox.bytes_used <= 65_536
        values = [value // 900 for value in values_in(outbox)]
        lost = [number for cut in outbox.report.lost for number in cut.numbers]
        assert lost == list(range(1, len(lost) + 1))
        assert values == list(range(len(lost) + 1, 20_001))
        assert len(values) > 3000
        first = outbox.report.lost[0]
        assert (first.reason, first.first_ms) == ("the outbox is full", 1000 * (900 + 318))
        assert first.last_ms is not None
        assert first.last_ms // 900_000 == first.numbers[-1]
    with Outbox.open(tmp_path, max_bytes=65_536) as outbox:
        assert [value // 900 for value in values_in(outbox)] == values
        assert outbox.last_state == b"state 20000"


def test_a_full_outbox_deletes_what_is_acknowledged_before_it_cuts(tmp_path: Path) -> None:
    with Outbox.open(tmp_path, max_bytes=65_536) as outbox:
        outbox.append(rows(1), "ntp", b"")
        for number in range(2, 2001):
            outbox.append(rows(number), "ntp", b"")
            outbox.acknowledge(range(number, number + 1))
        assert values_in(outbox) == [1]
        assert not outbox.report.lost


def test_sync_beside_append_and_acknowledge(tmp_path: Path) -> None:
    with Outbox.open(tmp_path, max_bytes=65_536 * 16) as outbox:
        stop = threading.Event()
        failures: list[BaseException] = []

        def sync_all_the_time() -> None:
            try:
                while not stop.is_set():
                    outbox.sync()
            except OutboxWriteError as failure:
                failures.append(failure)

        threads = [threading.Thread(target=sync_all_the_time) for _ in range(2)]
        for thread in threads:
            thread.start()
        for number in range(1, 3001):
            outbox.append(rows(number), "ntp", b"%d" % number)
            outbox.acknowledge(range(number - 5, number - 4))
        stop.set()
        for thread in threads:
            thread.join()
        assert not failures
        assert outbox.unacknowledged() == [range(2996, 3001)]
        assert values_in(outbox)[-5:] == [2996, 2997, 2998, 2999, 3000]
        outbox.sync()
        assert len(segment_files(tmp_path)) <= 2
    with Outbox.open(tmp_path, max_bytes=MANY) as outbox:
        assert outbox.unacknowledged() == [range(2996, 3001)]
        assert values_in(outbox)[-5:] == [2996, 2997, 2998, 2999, 3000]
