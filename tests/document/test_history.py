"""The history by itself: what joins, what doesn't, and the mark of the last save."""

from app.document.changes import Change, Transaction
from app.document.history import History, Step
from app.document.records import Binding

NOTHING: frozenset[str] = frozenset()


class Clock:
    """A clock that goes only when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def typed(before: str, after: str, merge: str = "binding:A") -> Step:
    change = Change("bindings", "A", Binding("A", "constant", before), Binding("A", "constant", after))
    return Step(Transaction(f"Type {after}", (change,), merge), NOTHING, NOTHING)


def pushed(history: History, *steps: Step) -> tuple[str, ...]:
    for step in steps:
        history.push(step)
    return history.labels().done


def test_typing_within_the_time_is_one_step() -> None:
    clock = Clock()
    history = History(clock)
    history.push(typed("", "1"))
    clock.now += 0.6
    history.push(typed("1", "12"))
    clock.now += 0.6
    assert pushed(history, typed("12", "123")) == ("Type 123",)
    step = history.next_undo
    assert step is not None
    (change,) = step.transaction.changes
    assert change.before == Binding("A", "constant", "")
    assert change.after == Binding("A", "constant", "123")


def test_a_pause_ends_the_step() -> None:
    clock = Clock()
    history = History(clock)
    history.push(typed("", "1"))
    clock.now += 0.71
    assert pushed(history, typed("1", "12")) == ("Type 1", "Type 12")


def test_other_keys_and_no_keys_do_not_join() -> None:
    assert pushed(History(Clock()), typed("", "1", "a"), typed("1", "2", "b")) == ("Type 1", "Type 2")
    assert pushed(History(Clock()), typed("", "1", ""), typed("1", "2", "")) == ("Type 1", "Type 2")


def test_nothing_joins_across_the_saved_mark() -> None:
    history = History(Clock())
    history.push(typed("", "1"))
    history.mark_saved()
    assert pushed(history, typed("1", "12")) == ("Type 1", "Type 12")
    history.undone()
    assert history.is_saved


def test_nothing_joins_after_an_undo() -> None:
    history = History(Clock())
    history.push(typed("", "1"))
    history.push(typed("", "x", "other"))
    history.undone()
    assert pushed(history, typed("1", "12")) == ("Type 1", "Type 12")


def test_a_step_that_comes_to_nothing_is_forgotten() -> None:
    history = History(Clock())
    history.push(typed("", "1"))
    history.push(typed("1", ""))
    assert history.next_undo is None
    assert history.is_saved
    assert pushed(history, typed("", "2")) == ("Type 2",)


def test_a_new_step_forgets_what_was_taken_back() -> None:
    history = History(Clock())
    history.push(typed("", "1", ""))
    history.undone()
    assert history.labels().undone == ("Type 1",)
    history.push(typed("", "2", ""))
    assert history.next_redo is None


def test_a_mark_on_a_forgotten_branch_is_never_reached_again() -> None:
    history = History(Clock())
    history.push(typed("", "1", ""))
    history.mark_saved()
    history.undone()
    assert not history.is_saved
    history.push(typed("", "2", ""))
    assert not history.is_saved
    history.undone()
    assert not history.is_saved
