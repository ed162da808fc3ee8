"""`leanmeter plan` on a store: what it shows is what `leanmeter baselines` says of the same days, to the digit."""

import asyncio
import json
import re
import shutil
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path

import pytest
import yaml

from baselines.headline import Worth
from languages.texts import texts
from leanmeter.command_line import main
from leanmeter.plan import plan_command
from store.protocol import IntervalRow
from tests.evaluation.planned_site import (
    BASELINE_DAYS,
    DAYS,
    FIRST,
    SITE,
    evaluate_all,
    plan_document,
    planned_site,
)
from tests.languages.english import english_in
from visit.savings import SavingView, saving_views
from visit.wording import ENGLISH, Wording

TODAY = FIRST + timedelta(days=DAYS - 1)
REPORTED = f"{FIRST + timedelta(days=BASELINE_DAYS)}/{FIRST + timedelta(days=DAYS - 1)}"
PERIOD = f"{FIRST}/{FIRST + timedelta(days=BASELINE_DAYS - 1)}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("planned")
    asyncio.run(evaluate_all(made))
    server = {"store": {"sqlite": str(made / "readings.sqlite")}, "entities": str(made / "entities.sqlite")}
    (made / "server.yaml").write_text(yaml.safe_dump(server), encoding="utf-8")
    return made


def run(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main([str(word) for word in words]) == 0
    return capsys.readouterr().out


class Sunday(datetime):
    """The clock: noon of the last day's eve but one, so that the week has days."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Sunday":
        return cls(*TODAY.timetuple()[:3], 12, tzinfo=tz)


async def _page_entry(folder: Path, today: date | None = None) -> tuple[SavingView, IntervalRow]:
    async with planned_site(folder) as site:
        site.today = today or site.today
        standing = await site.standing()
        (view,) = saving_views([standing], ENGLISH)
        (spanish,) = saving_views([standing], Wording(texts("es")))
        assert english_in(" ".join([spanish.text, *spanish.live, *spanish.warnings, *spanish.details]), "es") == set()
        return view, await site.day((site.today - FIRST).days - 1)


def test_page_plan_and_baselines_say_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = ("--config", folder / "server.yaml")
    (folder / "days.csv").write_text(run(capsys, "plan", "export", "energy", *config), encoding="utf-8")
    asked = ("--data", folder / "days.csv", "--date", "date", "--energy", "energy", "--variables", "bread")
    periods = ("--baseline-period", PERIOD, "--reporting-period", REPORTED)

    told = json.loads(run(capsys, "baselines", "savings", *asked, *periods, "--json"))
    sentence = run(capsys, "baselines", "savings", *asked, *periods)
    fitted = json.loads(run(capsys, "baselines", "fit", *asked, "--weights", "weight", *periods[:2], "--json"))
    shown = json.loads(run(capsys, "plan", "show", *config, "--json"))["baselines"][0]
    view, _ = asyncio.run(_page_entry(folder))
    figure, text = view.figure, view.text

    assert fitted["data_hash"] == shown["data_hash"]
    for name in ("expected", "actual", "savings", "savings_fraction", "half_width", "fsu"):
        assert shown["savings"][name] == pytest.approx(told[name], rel=1e-12), name
    share = f"{100 * told['savings_fraction']:.1f}"
    low = f"{100 * (told['savings'] - told['half_width']) / told['expected']:.1f}"
    high = f"{100 * (told['savings'] + told['half_width']) / told['expected']:.1f}"
    assert figure == f"{share}% less"
    said = f"{share} % less energy than expected (90 %: {low} to {high})"
    assert text.startswith(said.replace(" %", "%"))
    assert said in sentence
    worth = Worth(2.0, "GHS", DAYS - BASELINE_DAYS).a_year(told["savings"])
    assert f"worth {worth:,.0f} GHS a year" in text
    assert shown["enpi"] == told["enpi"] == pytest.approx(told["actual"] / told["expected"])
    assert f"EnPI        {told['enpi']:.3f}" in sentence
    assert f"EnPI {told['enpi']:.3f}" in run(capsys, "plan", "show", *config)


def test_page_and_plan_judge_yesterday_and_the_week_alike(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_command, "datetime", Sunday)
    shown = run(capsys, "plan", "show", "--config", folder / "server.yaml")
    view, stored = asyncio.run(_page_entry(folder, TODAY))
    today, so_far, yesterday, week = view.live
    said = (
        f"{stored.amount:.1f} kWh, less than expected: {stored.expected:.1f} "
        f"(90 %: {stored.lower:.1f} to {stored.upper:.1f}), goal {stored.goal:.1f}."
    )
    assert f"\n  Yesterday, 2026-07-25: {said}\n  This week, 2026-07-20 to 2026-07-25: " in shown
    assert yesterday == f"Yesterday, Jul 25: {said}".replace(" %", "%")
    first, _, judged = week.partition(": ")
    assert first == "This week, Jul 20 to Jul 25"
    assert judged.replace("%", " %") in shown
    for line, start in ((today, "Today until 00:00: "), (so_far, "This week until 00:00 today: ")):
        assert line.startswith(start)
        assert line.replace("%", " %") in shown


def test_a_plan_is_checked_imported_and_told_in_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(plan_document()), encoding="utf-8")
    config = ("--config", folder / "server.yaml")
    assert "is the site's plan already" in run(capsys, "plan", "import", path, *config, "--author", "ben")

    path.write_text(
        yaml.safe_dump(plan_document(goals=[{"series": "site.steam", "from": "2026-07-13", "to": "2027-07-12"}]))
    )
    assert main(["plan", "import", str(path), *map(str, config)]) == 2
    refused = capsys.readouterr().err
    assert "plan.yaml: goals: series: the site has no series 'site.steam'" in refused
    assert refused.count("\n") == 1


def test_a_new_version_is_made_by_somebody_for_a_reason(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = ("--config", folder / "server.yaml")
    made = run(capsys, "plan", "refit", "energy", *config, "--author", "ben", "--reason", "late bills")
    assert made.startswith("version 2 of energy: Good enough to claim savings with")
    assert json.loads(run(capsys, "plan", "show", *config, "--json"))["baselines"][0]["version"] == 2


def test_bills_of_stored_intervals_are_those_of_the_same_intervals_in_a_file(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(folder, tmp_path / "site")
    server = tmp_path / "site" / "server.yaml"
    server.write_text(server.read_text().replace(str(folder), str(tmp_path / "site")))
    version = {
        "name": "2026",
        "valid_from": "2026-01-01",
        "standing_charge": 31,
        "energy": [{"band": {"name": "night", "from": "22:00", "to": "06:00"}, "price": 1}, {"price": 2}],
        "demand": {"price": 9.3, "ratchet": {"share": 0.9, "months": 3}},
    }
    tariff = {"currency": "GHS", "tariffs": [version]}
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan_document(electricity_tariff=tariff)))
    run(capsys, "plan", "import", tmp_path / "plan.yaml", "--config", server)
    told = json.loads(run(capsys, "plan", "bills", "--config", server, "--json"))

    async def intervals() -> list[IntervalRow]:
        async with planned_site(tmp_path / "site") as site:
            return [row for number in range(DAYS) for row in await site.intervals(number, "main")]

    rows = asyncio.run(intervals())
    lines = [f"{datetime.fromtimestamp(row.start_ms / 1000, UTC).isoformat()},{row.amount!r}" for row in rows]
    (tmp_path / "intervals.csv").write_text("start,energy_kwh\n" + "\n".join(lines) + "\n")
    (tmp_path / "tariff.yaml").write_text(yaml.safe_dump(tariff))
    words = ("baselines", "tariff", tmp_path / "tariff.yaml", "--data", tmp_path / "intervals.csv", "--timezone", "UTC")
    verified = json.loads(run(capsys, *words, "--json"))
    verified.pop("findings", None)
    verified = verified.get("months", verified)
    assert told["2026-06"] == verified["2026-06"]
    assert told["2026-06"]["lines"][0]["amount"] == "31.00"
    # July is not over: 26 of its 31 days.
    july = {line["name"]: line["amount"] for line in told["2026-07"]["lines"]}
    assert "  standing charge         26.00  1 month × 31 × 26/31" in run(capsys, "plan", "bills", "--config", server)
    assert july["standing charge"] == "26.00"
    assert july["night"] == {line["name"]: line["amount"] for line in verified["2026-07"]["lines"]}["night"]
    assert "26 of 31 days so far; standing and demand charges are of these" in told["2026-07"]["findings"]

    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan_document(electricity_tariff=None)))
    run(capsys, "plan", "import", tmp_path / "plan.yaml", "--config", server)
    assert main(["plan", "bills", "--config", str(server)]) == 2
    assert "site bakery: its plan has no electricity_tariff; import one" in capsys.readouterr().err


def test_streams_of_a_site_without_a_balance_and_of_no_time_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["plan", "streams", "--config", str(folder / "server.yaml"), "--from", "2026-07-13", "--to"]
    for last, message in (
        ("2026-07-14", "site bakery: no line weighs both material and product; name them in material_balances"),
        ("2026-07-12", "--to 2026-07-12: must not be before --from 2026-07-13"),
    ):
        assert main([*asked, last]) == 2
        told = capsys.readouterr().err
        assert message in told
        assert told.count("\n") == 1


def test_what_is_left_of_prepaid_tokens_is_shown(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(folder, tmp_path / "site")
    server = tmp_path / "site" / "server.yaml"
    server.write_text(server.read_text().replace(str(folder), str(tmp_path / "site")))
    assert "Prepaid" not in run(capsys, "plan", "show", "--config", server)

    async def buy() -> float:
        async with planned_site(tmp_path / "site") as site:
            days = [(await site.day(number, "main")).amount for number in range(DAYS)]
            token = {"date": FIRST.isoformat(), "paid": 9000, "energy_kwh": 6000}
            await site.plan(prepaid_tokens=[token])
            await site.rederive(DAYS - 1, DAYS - 1)
            assert (await site.day(DAYS - 1, "prepaid.left")).amount == pytest.approx(6000 - sum(days))
            return (6000 - sum(days)) / (sum(days[-15:-1]) / 14)

    lasting = asyncio.run(buy())
    shown = run(capsys, "plan", "show", "--config", server)
    assert re.search(
        rf"^Prepaid: \d+ kWh left on {FIRST + timedelta(days=DAYS - 1)}, enough for {lasting:.1f} days\.$",
        shown,
        re.MULTILINE,
    )
    told = json.loads(run(capsys, "plan", "show", "--config", server, "--json"))["prepaid"]
    assert told["days_left"] == pytest.approx(lasting)


def test_a_store_that_is_not_there_is_named_and_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("server.yaml").write_text("store: {sqlite: readings.sqlite}\nentities: entities.sqlite\n", encoding="utf-8")

    assert main(["plan", "show", "--config", "server.yaml"]) == 2

    assert f"entities: {tmp_path / 'entities.sqlite'}: there is no such file" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["server.yaml"]


def test_a_plan_without_baselines_is_told_from_no_plan(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(folder, tmp_path / "site")
    server = tmp_path / "site" / "server.yaml"
    server.write_text(server.read_text().replace(str(folder), str(tmp_path / "site")))
    (tmp_path / "plan.yaml").write_text(f"site: {SITE}\n", encoding="utf-8")
    run(capsys, "plan", "import", tmp_path / "plan.yaml", "--config", server)

    assert "No baseline yet: the site's plan has none" in run(capsys, "plan", "show", "--config", server)
