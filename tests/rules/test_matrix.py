"""The exhaustive matrix: state × action × role × ownership, against a table written down once for people.

`LEGAL` is the document: it says from where to where each action leads, and `HOLDERS` which roles may take it and
on which tickets. Neither is computed from the rows, so a row that is changed by mistake shows here.
"""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from dispatch.rules.guards import refusal
from dispatch.rules.workflow import BY_ACTION, OPEN_STATES, STATES, SYSTEM, TICKET, Doer, Facts, State
from grid.permissions import ROLES, Scope, role_scopes

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)

# action: states it leaves > state it enters (= stays)
LEGAL = """
accept: submitted > filed
send_to_verify: submitted > verifying_pre
confirm_report: verifying_pre > filed
deny_report: verifying_pre > submitted
verify_beside: dispatched in_progress =
remind: submitted > reminded
self_handle: submitted > self_handled
answer_instantly: submitted filed > instant
reject: submitted filed > rejected
propose_rejection: submitted filed > reject_pending
confirm_rejection: reject_pending > rejected
overrule_rejection: reject_pending > filed
refer: submitted filed > referred
transfer_call: submitted filed dispatched in_progress =
pass_on: submitted filed > refer_pending
record_receipt: refer_pending > referred
passed_back: refer_pending > filed
ask_more_intake: submitted filed > need_info
ask_more: dispatched in_progress rework > need_info
supply: need_info > in_progress
supply_intake: need_info > submitted
supplement_over: need_info > in_progress
supplement_over_intake: need_info > submitted
merge: open-asking-reviewing-handled > merged
unmerge: merged > filed
follow_main: merged > verified
stand_alone: merged > filed
split: submitted filed dispatched in_progress rework =
relate: open-asking-reviewing-handled =
reclassify: submitted filed objected consulting =
audit_correction: every =
place: filed =
dispatch: filed > dispatched
dispatch_make_safe: filed > making_safe
made_safe: making_safe > owner_pending
settle_owner: owner_pending > dispatched
open: dispatched =
auto_sign: dispatched > in_progress
object: dispatched in_progress > objected
object_again: dispatched in_progress > consulting
return_barred: dispatched in_progress > filed
uphold_objection: objected > dispatched
refuse_objection: objected > dispatched
ask_consultation: dispatched in_progress rework > consulting
settle: consulting > dispatched
convene: dispatched in_progress rework > consulting
settle_convened: consulting > dispatched
ask_raise: dispatched in_progress rework > raise_pending
grant_raise: raise_pending > dispatched
refuse_raise: raise_pending > in_progress
contact: dispatched in_progress rework > in_progress
start: dispatched rework > in_progress
assign_within: dispatched in_progress rework =
report_progress: in_progress rework suspended =
finish_step: in_progress rework =
hand_to_enforcement: in_progress rework =
handle: dispatched in_progress rework > handled
draft_answer: dispatched in_progress rework > answer_pending
approve_answer: answer_pending > handled
return_answer: answer_pending > in_progress
ask_extension: in_progress rework > ext_pending
grant_extension: ext_pending > in_progress
refuse_extension: ext_pending > in_progress
ask_suspension: in_progress rework > suspend_pending
grant_suspension: suspend_pending > suspended
refuse_suspension: suspend_pending > in_progress
resume_early: suspended > in_progress
resume_planned: suspended > in_progress
ask_termination: in_progress rework > terminate_pending
grant_termination: terminate_pending > terminated
refuse_termination: terminate_pending > in_progress
urge: open =
add_information: open-needing =
add_assistants: dispatched in_progress rework =
whistle: dispatched in_progress > in_progress
sign_in_to_help: dispatched in_progress rework ext_pending answer_pending =
report_help: dispatched in_progress rework ext_pending answer_pending =
waive_assistant: dispatched in_progress rework ext_pending answer_pending =
rate_unit: dispatched in_progress rework ext_pending answer_pending handled verified callback reviewing closed archived =
skip_verification: handled > verified
verify_pass: handled > verified
verify_fail: handled > rework
force_upper: rework > consulting
close_unasked: verified > closed
attempt_callback: verified callback > callback
answer_satisfied: verified callback > closed
answer_unsolved: verified callback > reviewing
decline_callback: verified callback > closed
record_upper_result: verified callback > closed
ask_progress: open-asking-reviewing =
dispute_answer: reviewing =
uphold_dissatisfaction: reviewing > rework
dismiss_dissatisfaction: reviewing > closed
close_unanswered: verified callback > closed
record_instant_answer: instant =
reopen: closed > rework
reopen_instant: instant > filed
recheck_pass: closed archived =
recheck_fail: closed > rework
archive: closed > archived
withdraw: open > withdrawn
propose_malicious: every =
confirm_malicious: every =
refuse_malicious: every =
appeal_malicious: every =
keep_malicious: every =
lift_malicious: every =
malicious_over: every =
clarify: dispatched in_progress rework suspended handled verified callback reviewing closed archived terminated withdrawn =
screen_lead: lead_registered > lead_screening
dismiss_lead: lead_screening > lead_dismissed
assign_lead: lead_screening > lead_assigned
return_lead: lead_assigned > lead_screening
begin_rectifying: lead_assigned > lead_rectifying
report_rectified: lead_rectifying > lead_checking
lead_check_fail: lead_checking > lead_rectifying
lead_check_pass: lead_checking > lead_publishing
publish_lead: lead_publishing > lead_published
ask_exclusion: dispatched in_progress rework suspended handled verified callback reviewing closed =
grant_exclusion: dispatched in_progress rework suspended handled verified callback reviewing closed archived =
refuse_exclusion: dispatched in_progress rework suspended handled verified callback reviewing closed archived =
"""

# role: who it is towards the ticket > actions
OWN, HOLDS, AREA, HELPS, ANY = "reported", "holds", "area", "helps", "any"
HOLDERS = """
grid_worker reported: remind self_handle supply supply_intake add_information appeal_malicious
grid_worker area: confirm_report deny_report verify_beside verify_pass verify_fail
clerk holds: HANDLING OBJECTING RECTIFYING
clerk helps: HELPING
street_clerk holds: HANDLING OBJECTING RECTIFYING whistle rate_unit
street_clerk helps: HELPING
community_clerk holds: HANDLING OBJECTING
community_clerk helps: HELPING
officer holds: HANDLING
officer helps: HELPING
leader holds: approve_answer return_answer
operator any: INTAKE CALLING withdraw supply supply_intake add_information appeal_malicious urge merge unmerge split relate reopen reopen_instant
dispatcher any: INTAKE DISPATCHING RULING REVIEWING merge unmerge split relate
callback_agent any: CALLING REVIEWING
supervisor any: confirm_malicious refuse_malicious keep_malicious lift_malicious clarify grant_exclusion refuse_exclusion recheck_pass recheck_fail urge convene settle_convened audit_correction
material_verifier any: confirm_report deny_report verify_beside verify_pass verify_fail
lead_officer any: screen_lead dismiss_lead assign_lead lead_check_fail lead_check_pass publish_lead
administrator any:
"""
GROUPS = {
    "HANDLING": "open contact start assign_within report_progress finish_step hand_to_enforcement handle "
    "draft_answer ask_more ask_extension ask_suspension resume_early ask_termination ask_raise made_safe "
    "waive_assistant dispute_answer ask_exclusion",
    "OBJECTING": "object object_again return_barred ask_consultation",
    "RECTIFYING": "return_lead begin_rectifying report_rectified",
    "HELPING": "sign_in_to_help report_help",
    "INTAKE": "accept send_to_verify answer_instantly reject propose_rejection confirm_rejection "
    "overrule_rejection refer transfer_call pass_on record_receipt passed_back ask_more_intake propose_malicious reclassify",
    "CALLING": "attempt_callback answer_satisfied answer_unsolved decline_callback record_upper_result ask_progress "
    "record_instant_answer",
    "DISPATCHING": "place dispatch dispatch_make_safe settle_owner add_assistants",
    "RULING": "uphold_objection refuse_objection settle grant_raise refuse_raise grant_extension "
    "refuse_extension grant_suspension refuse_suspension grant_termination refuse_termination",
    "REVIEWING": "uphold_dissatisfaction dismiss_dissatisfaction",
}
REACHED_BY = {
    Scope.OWN: {OWN},
    Scope.GRID: {AREA},
    Scope.ORGANISATION: {HOLDS},
    Scope.ALL: {OWN, HOLDS, AREA, HELPS, ANY},
}
CLOSED_CHOICES = {
    "-asking": {"verified", "callback"},
    "-reviewing": {"reviewing"},
    "-handled": {"handled"},
    "-needing": {"need_info"},
}


def legal() -> dict[str, tuple[frozenset[str], str | None]]:
    found = {}
    for line in LEGAL.strip().splitlines():
        action, _, rest = line.partition(":")
        left, arrow, entered = rest.partition(">") if ">" in rest else (*rest.partition("="),)
        states: set[str] = set()
        for word in left.split():
            if word == "every":
                states |= {str(s) for s, row in STATES.items() if row.workflow == TICKET}
            elif word.startswith("open"):
                states |= {str(s) for s in OPEN_STATES}
                for mark, without in CLOSED_CHOICES.items():
                    states -= without if mark in word else set()
            else:
                states.add(word)
        found[action] = (frozenset(states), entered.strip() or None if arrow == ">" else None)
    return found


def holders() -> set[tuple[str, str, str]]:
    found = set()
    for line in HOLDERS.strip().splitlines():
        (role, towards), _, actions = line.partition(":")[0].split(), ":", line.partition(":")[2]
        for word in actions.split():
            for action in GROUPS.get(word, word).split():
                found.add((role, towards, action))
    return found


EXPECTED, HELD = legal(), holders()
CASES = list(product(State, BY_ACTION, ROLES, (OWN, HOLDS, AREA, HELPS, ANY)))


def willing(state: State) -> Facts:
    """A ticket on which nothing but the state stands in the way of most actions."""
    return Facts(state=state, now=NOW)


def test_the_table_speaks_of_every_action() -> None:
    assert set(EXPECTED) == set(BY_ACTION)
    assert {action for _, _, action in HELD} == {a for a, row in BY_ACTION.items() if row.may != SYSTEM}


def test_every_case_agrees_with_the_table() -> None:
    """Whether this role, standing so towards the ticket, may take this action in this state."""
    wrong = []
    for state, action, role, towards in CASES:
        sources, entered = EXPECTED[action]
        row = BY_ACTION[action]
        allowed_now = str(state) in sources
        refused = refusal(action, willing(state), Doer("somebody"))
        state_stands = refused is not None and refused.guard == "state"
        may = any(towards in _reach(scope, row.may) for scope in role_scopes(role, row.may))
        expected_may = (role, towards, action) in HELD or (role, ANY, action) in HELD
        if allowed_now == state_stands or may != expected_may or row.target != entered:
            wrong.append((state, action, role, towards))
    assert len(CASES) >= 5_000
    assert wrong == []


def _reach(scope: Scope, verb: str) -> set[str]:
    if scope is Scope.ORGANISATION and verb == "ticket:assist":
        return {HELPS}
    return REACHED_BY.get(scope, set())


STANDS = {
    "not_urgent": {"urgent": True},
    "admitted": {"forbidden_clause": "不得"},
    "barred_here": {"own_clause": None},
    "unopened": {"opened": True},
    "unsigned": {"signed": True},
    "has_reporter": {"can_contact": False},
    "contacted": {"asks_contact": True, "contacted": False},
    "returnable": {"no_return": True},
    "first_objection": {"objections": 1},
    "repeated_objection": {"objections": 0},
    "within_objection_period": {"objection_until": NOW - timedelta(seconds=1)},
    "before_contact": {"contacted": True},
    "independent": {"handlers": frozenset({"somebody"})},
    "needs_no_verification": {"verify_mode": "field"},
    "nobody_to_ask": {"can_ask": True},
    "not_answerer": {"handlers": frozenset({"somebody"})},
    "attempts_exhausted": {"callback_attempts": 2},
    "attempts_left": {"callback_attempts": 3},
    "not_quiet": {"quiet_until": NOW},
    "urgent_from_public": {"urgent": False},
    "not_yet_beside": {"checked_beside": True},
    "without_site": {"verify_mode": "field"},
    "second_person": {"proposer": "somebody"},
    "may_ask_more": {"supplements": 2},
    "with_unit": {"has_unit": False},
    "without_unit": {"has_unit": True},
    "no_merged_children": {"merged_open": True},
    "cannot_return": {"no_return": False},
    "has_next_step": {"steps_left": 0},
    "enforcement_matter": {"enforcement": False},
    "assistants_done": {"waiting_assistants": ("排水公司",)},
    "answers_itself": {"approves_answers": True},
    "answer_is_approved": {"approves_answers": False},
    "first_extension": {"extensions": 1},
    "before_due": {"handle_due_at": NOW},
    "plan_ahead": {"plan_until": NOW},
    "plan_reached": {"plan_until": NOW + timedelta(seconds=1)},
    "asked_to_help": {"waiting_units": frozenset({"other"})},
    "somebody_to_report": {"waiting_units": frozenset()},
    "whistled_by_own": {"whistled_by": "other"},
    "third_rework": {"reworks": 2},
    "from_upper": {"from_upper": False},
    "progress_asked": {"asks_progress": False},
    "within_reopen_period": {"reopen_until": NOW - timedelta(seconds=1)},
    "reopen_period_over": {"reopen_until": NOW + timedelta(seconds=1)},
    "no_exclusion_yet": {"exclusion": "asked"},
    "exclusion_asked": {"exclusion": None},
    "outside_the_assessed": {"handling_organisations": frozenset({"own"})},
    "not_own_report": {"crossed": True, "reporter": "somebody"},
    "no_conduct_yet": {"conduct": "held"},
    "conduct_proposed": {"conduct": None},
    "conduct_held": {"conduct": None},
    "conduct_appealed": {"conduct": "held"},
    "another_judge": {"conduct_judges": frozenset({"somebody"})},
    "conduct_run_out": {"conduct_until": NOW + timedelta(seconds=1)},
    "not_yet_clarified": {"clarified": True},
    "correction_drawn": {"correction_drawn": False},
}
YIELDS: dict[str, dict[str, object]] = {
    "barred_here": {"own_clause": "不得"},
    "has_reporter": {"can_contact": True},
    "repeated_objection": {"objections": 1},
    "needs_no_verification": {"verify_mode": "none"},
    "attempts_exhausted": {"callback_attempts": 3},
    "urgent_from_public": {"urgent": True, "from_public": True},
    "without_site": {"verify_mode": "none"},
    "with_unit": {"has_unit": True},
    "cannot_return": {"no_return": True},
    "has_next_step": {"steps_left": 1},
    "enforcement_matter": {"enforcement": True},
    "answer_is_approved": {"approves_answers": True},
    "plan_ahead": {"plan_until": NOW + timedelta(days=1)},
    "plan_reached": {"plan_until": NOW},
    "asked_to_help": {"waiting_units": frozenset({"own"})},
    "somebody_to_report": {"waiting_units": frozenset({"other"})},
    "whistled_by_own": {"whistled_by": "own"},
    "third_rework": {"reworks": 3},
    "from_upper": {"from_upper": True},
    "progress_asked": {"asks_progress": True},
    "reopen_period_over": {"reopen_until": NOW},
    "exclusion_asked": {"exclusion": "asked"},
    "conduct_proposed": {"conduct": "asked"},
    "conduct_held": {"conduct": "held"},
    "conduct_appealed": {"conduct": "appealed"},
    "conduct_run_out": {"conduct": "held", "conduct_until": NOW},
    "correction_drawn": {"correction_drawn": True},
}
DOER = Doer("somebody", organisations=frozenset({"own"}), under=frozenset({"own"}))
GUARDED = [(a, guard) for a, row in BY_ACTION.items() for guard in row.guards]


@pytest.mark.parametrize(("action", "guard"), GUARDED, ids=lambda value: value)
def test_each_guard_of_each_action_refuses_by_itself(action: str, guard: str) -> None:
    """With everything else in order, the one thing that stands in the way is named; without it the way is free."""
    row = BY_ACTION[action]
    for state in row.sources:
        in_order: dict[str, object] = {}
        for other in row.guards:
            in_order |= YIELDS.get(other, {})
        free = refusal(action, Facts(state=state, now=NOW, **in_order), DOER)  # type: ignore[arg-type]
        assert free is None, (state, free)
        found = refusal(action, Facts(state=state, now=NOW, **{**in_order, **STANDS[guard]}), DOER)  # type: ignore[arg-type]
        assert found is not None
        assert STATES[state].label
        assert found.sentence
