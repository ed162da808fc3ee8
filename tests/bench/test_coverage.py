import pytest

from bench.coverage import SIZES, main


def test_a_table_with_a_row_for_each_kind_of_factory(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--factories", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("| rows | ρ | band holds |")
    assert [line.split(" | ")[:2] for line in lines[2:5]] == [["| any", "0"], ["| any", "0.3"], ["| any", "0.6"]]
    assert len(lines) == 2 + 3 * (1 + len(SIZES))
    for line in lines[2:]:
        holds, independent, valid, above, proven = map(float, line.strip("| ").split(" | ")[2:])
        assert 0.0 <= independent <= holds <= 100.0
        assert proven <= min(above, valid)
