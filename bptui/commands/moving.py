"""The words that step."""

from __future__ import annotations

from bptui.commands.answer import Answer, Context, Verb, count, nothing
from bptui.commands.registry import CommandError


def next_(session: Context, rest: str) -> Answer:
    return session.where(session.debugger.next(count(rest)))


def back(session: Context, rest: str) -> Answer:
    return session.where(session.debugger.back(count(rest)))


def step(session: Context, rest: str) -> Answer:
    return session.where(session.debugger.step(count(rest)))


def step_back(session: Context, rest: str) -> Answer:
    return session.where(session.debugger.step_back(count(rest)))


def finish(session: Context, rest: str) -> Answer:
    nothing(rest)
    return session.where(session.debugger.finish())


def start(session: Context, rest: str) -> Answer:
    nothing(rest)
    return session.where(session.debugger.start())


def iteration_back(session: Context, rest: str) -> Answer:
    return session.where(session.debugger.iteration_back(count(rest)))


def to(session: Context, rest: str) -> Answer:
    return session.where(session.debugger.to(_operation(session, rest)))


def to_back(session: Context, rest: str) -> Answer:
    return session.where(session.debugger.to_back(_operation(session, rest)))


def _operation(session: Context, rest: str) -> int:
    count = session.debugger.count
    if not rest.isdecimal() or len(rest) > 8 or not 1 <= int(rest) <= count:
        raise CommandError(f"which operation? a number from 1 to {count}")
    return int(rest) - 1


VERBS: dict[str, Verb] = {
    "next": next_,
    "back": back,
    "step": step,
    "step-back": step_back,
    "finish": finish,
    "start": start,
    "iteration-back": iteration_back,
    "to": to,
    "to-back": to_back,
}
