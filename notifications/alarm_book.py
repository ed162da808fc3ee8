"""From verdicts to alarms that begin once, are called to mind seldom, and end. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from notifications.alarm import Alarm, AlarmKey, Notice, Stage, Verdict

_DAY_MS = 86_400_000
LONGEST_REMINDER_MS = 7 * _DAY_MS


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be kept from now on, and what is to be said. `changed` are new or other alarms than before."""

    changed: tuple[Alarm, ...]
    over: tuple[AlarmKey, ...]
    notices: tuple[Notice, ...]


def decide(alarms: Mapping[AlarmKey, Alarm], verdicts: Iterable[Verdict], now_ms: int, settle_ms: int) -> Decision:
    """What new verdicts make of the alarms of a site.

    An alarm begins with the first verdict that raises it. It ends when all has been well for `settle_ms`, so that
    what comes and goes is told once. A verdict that cannot be told changes nothing; a subject without a verdict is
    no longer watched. While an alarm lasts it is called to mind after a day, then two, four, and every seven days.
    """
    changed: list[Alarm] = []
    over: list[AlarmKey] = []
    notices: list[Notice] = []
    judged: set[AlarmKey] = set()
    for verdict in verdicts:
        judged.add(verdict.key)
        before = alarms.get(verdict.key)
        if before is None:
            if verdict.raised:
                began = Alarm(verdict.kind, verdict.subject, now_ms, now_ms, 0, None, verdict.facts)
                changed.append(began)
                notices.append(_notice(began, Stage.BEGAN))
            continue
        after = _step(before, verdict, now_ms)
        if after.clear_since_ms is not None and now_ms - after.clear_since_ms >= settle_ms:
            over.append(after.key)
            notices.append(_notice(after, Stage.ENDED))
            continue
        if verdict.raised and now_ms - after.told_ms >= _pause_ms(after.reminders):
            after = replace(after, told_ms=now_ms, reminders=after.reminders + 1)
            notices.append(_notice(after, Stage.REMINDER))
        if after != before:
            changed.append(after)
    for key in alarms.keys() - judged:
        over.append(key)
        notices.append(_notice(replace(alarms[key], clear_since_ms=now_ms), Stage.WITHDRAWN))
    return Decision(tuple(changed), tuple(over), tuple(notices))


def _step(alarm: Alarm, verdict: Verdict, now_ms: int) -> Alarm:
    if verdict.raised is None:
        return alarm
    if verdict.raised:
        return replace(alarm, clear_since_ms=None, facts=verdict.facts)
    return alarm if alarm.clear_since_ms is not None else replace(alarm, clear_since_ms=now_ms)


def _pause_ms(reminders: int) -> int:
    return min(_DAY_MS << reminders, LONGEST_REMINDER_MS)


def _notice(alarm: Alarm, stage: Stage) -> Notice:
    return Notice(alarm.kind, alarm.subject, stage, alarm.began_ms, alarm.clear_since_ms, alarm.facts)
