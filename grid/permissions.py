"""Permissions as `scope:resource:verb`; a role is a list of them. Code asks for verbs, never for roles."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from grid.models import DutyClass


class Scope(StrEnum):
    """How far a permission reaches."""

    OWN = "own"
    GRID = "grid"
    ORGANISATION = "organisation"
    AREA = "area"
    ALL = "all"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Role:
    """A role: its Chinese name, the one duty class it belongs to and what it may."""

    key: str
    label: str
    duty_class: DutyClass
    permissions: tuple[str, ...]
    needs_area: bool = False


ROLES: dict[str, Role] = {
    role.key: role
    for role in (
        Role(
            "grid_worker",
            "网格员",
            DutyClass.PATROL,
            (
                "own:ticket:report",
                "own:ticket:remind",
                "own:ticket:read",
                "own:ticket:supplement",
                "grid:ticket:read",
                "grid:ticket:verify",
                "grid:inspection:check",
            ),
            needs_area=True,
        ),
        Role(
            "clerk",
            "部门经办人",
            DutyClass.HANDLING,
            (
                "organisation:ticket:read",
                "organisation:ticket:handle",
                "organisation:ticket:object",
                "organisation:ticket:assist",
                "organisation:reporter:reveal",
                "organisation:letter:read",
                "organisation:letter:answer",
                "organisation:inspection:create",
                "organisation:lead:read",
                "organisation:lead:rectify",
            ),
        ),
        Role(
            "street_clerk",
            "街道(乡镇)经办人",
            DutyClass.HANDLING,
            (
                "organisation:area:look",
                "organisation:team:confirm",
                "organisation:ticket:read",
                "organisation:ticket:handle",
                "organisation:ticket:object",
                "organisation:ticket:assist",
                "organisation:ticket:whistle",
                "organisation:ticket:rate",
                "organisation:lead:read",
                "organisation:lead:rectify",
                "organisation:letter:read",
                "organisation:letter:answer",
                "organisation:inspection:create",
                "organisation:reporter:reveal",
                "organisation:figures:read",
                "area:figures:read",
            ),
        ),
        Role(
            "leader",
            "分管领导",
            DutyClass.HANDLING,
            ("organisation:ticket:read", "organisation:ticket:approve", "organisation:figures:read"),
        ),
        Role(
            "officer",
            "执法队员",
            DutyClass.HANDLING,
            ("organisation:ticket:read", "organisation:ticket:handle", "organisation:ticket:assist"),
        ),
        Role(
            "community_clerk",
            "社区(村)工作人员",
            DutyClass.HANDLING,
            (
                "organisation:ticket:read",
                "organisation:ticket:handle",
                "organisation:ticket:object",
                "organisation:reporter:reveal",
                "organisation:ticket:assist",
                "organisation:area:look",
                "organisation:team:confirm",
                "area:figures:read",
            ),
            needs_area=True,
        ),
        Role(
            "operator",
            "热线受理员",
            DutyClass.INTAKE,
            (
                "all:ticket:register",
                "all:ticket:read",
                "all:ticket:accept",
                "all:ticket:withdraw",
                "all:ticket:supplement",
                "all:ticket:urge",
                "all:ticket:merge",
                "all:ticket:reopen",
                "all:ticket:call_back",
            ),
        ),
        Role(
            "dispatcher",
            "派遣员",
            DutyClass.INTAKE,
            (
                "all:ticket:read",
                "all:ticket:accept",
                "all:ticket:dispatch",
                "all:ticket:rule",
                "all:ticket:review",
                "all:ticket:merge",
            ),
        ),
        Role(
            "callback_agent",
            "回访员",
            DutyClass.INTAKE,
            ("all:ticket:read", "all:ticket:call_back", "all:ticket:review", "all:reporter:reveal"),
        ),
        Role(
            "supervisor",
            "督查员",
            DutyClass.OVERSIGHT,
            (
                "all:ticket:read",
                "all:ticket:judge",
                "all:ticket:recheck",
                "all:admission:decide",
                "all:letter:read",
                "all:letter:sign",
                "all:plan:register",
                "all:plan:read",
                "all:ticket:urge",
                "all:ticket:convene",
                "all:figures:read",
                "all:figures:switch",
                "all:topic:manage",
                "all:ticket:export_unmasked",
                "all:chain:verify",
                "all:operations:read",
            ),
        ),
        Role(
            "lead_officer",
            "码上督专员",
            DutyClass.OVERSIGHT,
            (
                "all:lead:read",
                "all:lead:screen",
                "all:lead:assign",
                "all:lead:check",
                "all:lead:publish",
                "all:lead:reveal",
            ),
        ),
        Role(
            "material_verifier",
            "材料核查员",
            DutyClass.OVERSIGHT,
            ("all:ticket:read", "all:ticket:verify"),
        ),
        Role(
            "administrator",
            "系统管理员",
            DutyClass.ADMINISTRATION,
            ("all:standing:change", "all:account:change", "all:operations:read"),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Tenure:
    """One post of an account as values: role, organisation, area."""

    role: str
    organisation_code: str
    area_code: str | None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the account, the natural person behind it and every post held now.

    `organisations` are the posts' own; `under` adds everything below them (what they answer for);
    `answers_to` adds everything above them (whom they answer to). The holder of a signed link has no post,
    but `linked_verbs` on the one `linked_ticket`.
    """

    account_id: UUID | None
    person_key: str
    name: str
    duty_class: DutyClass | None
    tenures: tuple[Tenure, ...] = ()
    under: frozenset[str] = frozenset()
    answers_to: frozenset[str] = frozenset()
    channel: str = "web"
    linked_ticket: UUID | None = None
    linked_verbs: frozenset[str] = frozenset()

    @property
    def organisation_code(self) -> str | None:
        return self.tenures[0].organisation_code if self.tenures else None

    @property
    def area_codes(self) -> frozenset[str]:
        return frozenset(t.area_code for t in self.tenures if t.area_code)

    def scopes(self, verb: str) -> frozenset[Scope]:
        """The scopes in which this actor may do `resource:verb`, over all posts."""
        linked = {Scope.LINK} if verb in self.linked_verbs else set()
        return frozenset(linked.union(*(role_scopes(tenure.role, verb) for tenure in self.tenures)))

    def may(self, verb: str) -> bool:
        """Whether any post allows the verb in some scope."""
        return bool(self.scopes(verb))


def role_scopes(role: str, verb: str) -> tuple[Scope, ...]:
    """The scopes a role gives a verb."""
    found = ROLES.get(role)
    if found is None:
        return ()
    parts = (permission.partition(":") for permission in found.permissions)
    return tuple(Scope(scope) for scope, _, rest in parts if rest == verb)


SYSTEM_ACTOR = Actor(account_id=None, person_key="system", name="系统", duty_class=None, channel="system")
