"""How a matter goes from desk to desk in the made-up city: each story a row of steps with the time they take.

A step that the workflow refuses just then (nobody to contact, already signed) is passed over, as people would.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """Who does what, between so and so many working hours after the step before, or so much of the unit's limit."""

    who: str
    action: str
    least: float
    most: float
    of_limit: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """How often it happens, and its steps; `recent` ones begin so late that they may still be open.

    `mode` is how it is reported (`hold`: it waits for a person at the intake desk), `place` by whom; a `preverified`
    one is of a category that a grid worker looks at before it is filed, and waits for that. What happens `at_home` is
    rubbish in the grids of the worker whose login everybody tries.
    """

    key: str
    weight: int
    steps: tuple[Step, ...]
    recent: int = 0
    mode: str = "report"
    place: str | None = None
    preverified: bool = False
    at_home: bool = False


OPEN = Step("clerk", "open", 0.05, 0.9)
CONTACT = Step("clerk", "contact", 0.1, 0.8)
LOOK = (OPEN, Step("clerk", "start", 0.1, 0.8))
HANDLE = Step("clerk", "handle", 0.1, 0.75, of_limit=True)
QUICKLY = Step("clerk", "handle", 0.05, 0.2, of_limit=True)
WORK = (*LOOK, HANDLE)
CHECK = Step("verifier", "verify_pass", 0.5, 6.0)
PLEASED = Step("agent", "answer_satisfied", 2.0, 12.0)
ANSWERED = Step("reporter", "answer_satisfied", 1.0, 12.0)
UNHAPPY = Step("agent", "answer_unsolved", 2.0, 10.0)
OBJECT = (Step("clerk", "object", 0.3, 1.6),)
AGAIN = (Step("clerk", "handle", 0.1, 0.5, of_limit=True), CHECK, PLEASED)

ASK_MORE = Step("clerk", "ask_more", 0.3, 1.0)

STORIES: tuple[Story, ...] = (
    Story("settled", 60, (*WORK, CHECK, PLEASED), recent=26),
    Story("answered by link", 14, (*WORK, CHECK, ANSWERED), recent=4),
    Story("slow", 10, (*LOOK, Step("operator", "urge", 8.0, 20.0), Step("clerk", "handle", 1.1, 1.6, of_limit=True), CHECK, PLEASED), recent=3),
    Story(
        "nobody opens it",
        8,
        (Step("clerk", "handle", 0.5, 0.9, of_limit=True), CHECK, PLEASED),
        recent=3,
    ),
    Story("failed check", 9, (*WORK, Step("verifier", "verify_fail", 0.5, 5.0), *AGAIN), recent=2),
    Story(
        "objection upheld",
        8,
        (*OBJECT, Step("dispatcher", "uphold_objection", 0.5, 3.5), *WORK, CHECK, PLEASED),
        recent=2,
    ),
    Story(
        "objection refused",
        6,
        (*OBJECT, Step("dispatcher", "refuse_objection", 0.5, 3.5), *WORK, CHECK, PLEASED),
        recent=1,
    ),
    Story(
        "contested twice",
        3,
        (*OBJECT, Step("dispatcher", "uphold_objection", 0.5, 3.5), OPEN, Step("clerk", "object_again", 0.5, 3.0),
         Step("dispatcher", "settle", 2.0, 7.0), *WORK, CHECK, PLEASED),
    ),
    Story(
        "second handling",
        6,
        (*WORK, CHECK, UNHAPPY, Step("agent2", "uphold_dissatisfaction", 1.0, 6.0), *AGAIN),
    ),
    Story("complaint dismissed", 3, (*WORK, CHECK, UNHAPPY, Step("agent2", "dismiss_dissatisfaction", 1.0, 6.0))),
    Story(
        "never reached",
        5,
        (*WORK, CHECK, *(Step("agent", "attempt_callback", 1.0, 4.0),) * 3),
    ),
    Story("withdrawn", 4, (*LOOK, Step("operator", "withdraw", 2.0, 10.0)), recent=1),
    Story("stalled", 2, LOOK, recent=1),
    Story(
        "extended",
        4,
        (*LOOK, Step("clerk", "ask_extension", 0.3, 0.6, of_limit=True),
         Step("dispatcher", "grant_extension", 0.5, 3.0), HANDLE, CHECK, PLEASED),
    ),
    Story(
        "put on the plan",
        4,
        (*LOOK, Step("clerk", "ask_suspension", 0.1, 0.3, of_limit=True),
         Step("dispatcher", "grant_suspension", 0.5, 3.0)),
        recent=1,
    ),
    Story("asked for more", 4, (*LOOK, ASK_MORE, Step("operator", "supply", 1.0, 6.0), HANDLE, CHECK, PLEASED)),
    Story("no longer there", 2, (*LOOK, Step("clerk", "ask_termination", 0.5, 2.0),
                                 Step("dispatcher", "grant_termination", 1.0, 4.0))),
    Story("answered at once", 6, (Step("operator", "answer_instantly", 0.05, 0.2),), 2, "hold", "hotline"),
    Story("belongs to a court", 2, (Step("operator", "reject", 0.1, 0.5),), 1, "hold", "hotline"),
    Story(
        "nothing new",
        2,
        (Step("operator", "propose_rejection", 0.1, 0.5), Step("dispatcher", "confirm_rejection", 0.5, 3.0)),
        0,
        "hold",
        "hotline",
    ),
    Story("belongs to petitions", 2, (Step("operator", "refer", 0.3, 0.8),), 1, "hold", "hotline"),
)  # fmt: skip

SAID_TWICE = Story("said twice", 0, (Step("operator", "merge", 0.1, 0.6),))
CONFIRM = Step("verifier", "confirm_report", 0.3, 2.5)
OWNERLESS = (Step("clerk", "made_safe", 0.3, 1.0), Step("dispatcher", "settle_owner", 1.0, 5.0))
APPROVE = Step("leader", "approve_answer", 0.2, 1.5)

# Matters that stand where they stand today, one or more for every desk to find in its queue.
STANDING: tuple[Story, ...] = (
    Story("waits to be opened", 0, (), recent=3),
    Story("was opened", 0, (OPEN,), recent=2),
    Story("is in work", 0, LOOK, recent=3),
    Story("objection waits", 0, OBJECT, recent=3),
    Story(
        "consultation waits",
        0,
        (
            *OBJECT,
            Step("dispatcher", "uphold_objection", 0.2, 0.8),
            OPEN,
            Step("clerk", "object_again", 0.2, 0.8),
        ),
        recent=2,
    ),
    Story("check waits", 0, (*LOOK, QUICKLY), recent=4),
    Story("callback waits", 0, (*LOOK, QUICKLY, CHECK), recent=4),
    Story(
        "callback goes on",
        0,
        (*LOOK, QUICKLY, CHECK, Step("agent", "attempt_callback", 0.3, 1.0)),
        recent=2,
    ),
    Story(
        "complaint waits",
        0,
        (*LOOK, QUICKLY, CHECK, Step("agent", "answer_unsolved", 0.3, 1.0)),
        recent=2,
    ),
    Story(
        "is done again",
        0,
        (*LOOK, QUICKLY, Step("verifier", "verify_fail", 0.3, 1.5)),
        recent=2,
    ),
    Story("extension waits", 0, (*LOOK, Step("clerk", "ask_extension", 0.02, 0.1, of_limit=True)), recent=2),
    Story("plan waits", 0, (*LOOK, Step("clerk", "ask_suspension", 0.1, 0.5)), recent=1),
    Story("answer to a question waits", 0, (*LOOK, ASK_MORE), recent=2),
    Story("refusal waits", 0, (Step("operator", "propose_rejection", 0.1, 0.3),), 2, "hold", "hotline"),
    Story("waits at the intake desk", 0, (), 2, "hold", "hotline"),
    Story("site is to be looked at", 0, (), recent=2, place="hotline", preverified=True),
    Story("waits to be opened", 0, (), recent=2, place="patrol", at_home=True),
    Story("check waits", 0, (*LOOK, QUICKLY), recent=2, place="patrol", at_home=True),
)
