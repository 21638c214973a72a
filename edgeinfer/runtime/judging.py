"""From what was seen to decisions: rules, the recipe that holds, the context; knows no model, no queue and no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from edgeinfer.events import Decision, Instant, Lost, Observation
from edgeinfer.ports import Report, Rule
from edgeinfer.runtime.context import Context
from edgeinfer.runtime.mailbox import Item

RECIPE = "recipe"
"""The name in `context` whose value chooses the recipe."""

NONE: Sequence[Decision] = ()


def _untold(_topic: str, _text: str | None) -> None:
    """Nobody listens."""


@dataclass
class Choice:
    """The recipe that holds now, for the one who switches models; "" is the config as written."""

    recipe: str = ""


@dataclass(frozen=True)
class Recipes:
    """What there is to choose from.

    `changes` maps a recipe's value to the rules that it changes (all of them when it changes a model). `unknown` says
    what holds for another value: the config as written, or nothing (each rule is `unknown`).
    """

    changes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unknown: Literal["default", "unknown"] = "default"
    report: Report = _untold
    choice: Choice = field(default_factory=Choice)


@dataclass(frozen=True)
class Brief:
    """What a judge goes by: `make(recipe)` gives fresh rules by name, `sources` are those of the pipeline."""

    pipeline: str
    make: Callable[[str], Mapping[str, Rule]]
    sources: Sequence[str] = ()
    context: Sequence[str] = ()
    recipes: Recipes | None = None


class Admitted(NamedTuple):
    """What of an item is to be looked at (None: nothing), and what was decided without a look.

    `anew`: what the model remembers of its source is of no use for this look.
    """

    look: Item | None
    decisions: Sequence[Decision]
    anew: bool = False


class Judge:
    """Without a trigger: each rule sees all that comes, and tells what changes.

    It outlives the model: one that has to be opened again does not make the context unknown.
    """

    def __init__(self, brief: Brief) -> None:
        self.brief = brief
        self.context = Context(brief.context)
        self.refusal = ""  # why nothing is decided now
        self._rules: dict[str, Rule] = {}
        self._choose()

    @property
    def recipe(self) -> str:
        return self.brief.recipes.choice.recipe if self.brief.recipes else ""

    def begin(self) -> None:
        """The rules know nothing (any more)."""
        self._rules = dict(self.brief.make(self.recipe))

    def admit(self, item: Item, now_ns: int | None = None) -> Admitted:  # noqa: ARG002  for who has a deadline
        """To be called with each item before the model sees it; `now_ns` is None where time is that of a replay."""
        return Admitted(item, self.learn(item))

    def learn(self, item: Item) -> Sequence[Decision]:
        """The context; where it names another recipe, rules that this one changes begin anew."""
        self.context.learn(item)
        changed = self._choose()
        return self.context.on(self._begin_anew(changed, item.at)) if changed else NONE

    def of(
        self,
        seen: Iterable[Observation],
        now_ns: int | None = None,  # noqa: ARG002  for who has a deadline
        *,
        unsure: bool = False,  # noqa: ARG002  and who can wait for another look
    ) -> Sequence[Decision]:
        """What the rules say of it; `unsure`: the model wants to look again."""
        if self.refusal:
            return NONE
        return self.context.on(
            [d for one in seen for rule in self._rules.values() for d in rule.observe(one)]
        )

    def lose(self, lost: Lost) -> Sequence[Decision]:
        """What the rules know no longer holds."""
        return self.of((lost,))

    def due_ns(self) -> int | None:
        """When `overdue` has something to say (monotonic, of the samples); None: never."""
        return None

    def overdue(self, now_ns: int) -> Sequence[Decision]:  # noqa: ARG002  for who has a deadline
        return NONE

    def end(self) -> Sequence[Decision]:
        """The input has come to its end."""
        return NONE

    def _choose(self) -> frozenset[str]:
        """By what the context says; the names of the rules that are other ones from now on."""
        recipes, value = self.brief.recipes, self.context.value(RECIPE)
        if recipes is None:
            return _NOBODY
        known, before, refused = value in recipes.changes, recipes.choice.recipe, self.refusal
        why = "" if known else _why_none(value, recipes)
        recipes.report(RECIPE, f"{why}: {_INSTEAD[recipes.unknown]}" if why and value is not None else None)
        self.refusal = why if recipes.unknown == "unknown" else ""
        recipes.choice.recipe = value if known and value is not None else ""
        if self.refusal != refused:
            return frozenset(self._rules)
        if recipes.choice.recipe == before:
            return _NOBODY
        changes = recipes.changes
        return changes.get(before, _NOBODY) | changes.get(recipes.choice.recipe, _NOBODY)

    def _begin_anew(self, names: frozenset[str], at: Instant) -> list[Decision]:
        """What they told was told by other words; the fresh ones begin as after a start."""
        reason = self.refusal or f"the recipe is {self.context.value(RECIPE) or 'not known'} from now on"
        losses = [Lost((source, -1), at, reason) for source in self.brief.sources]
        old = [rule for name, rule in self._rules.items() if name in names]
        told = [decision for lost in losses for rule in old for decision in rule.observe(lost)]
        fresh = self.brief.make(self.recipe)
        self._rules = {name: fresh[name] if name in names else rule for name, rule in self._rules.items()}
        return told


_NOBODY: frozenset[str] = frozenset()
_INSTEAD = {
    "default": "the config holds as it is written",
    "unknown": "nothing is decided",
}


def _why_none(value: str | None, recipes: Recipes) -> str:
    if value is None:
        return "no recipe is known yet"
    return f"there is no recipe {value!r} (there are: {', '.join(recipes.changes)})"
