"""Which pages a person is led to: rows of permission, page and label."""

from dataclasses import dataclass

from flask import current_app, url_for

from grid.permissions import Actor


@dataclass(frozen=True, slots=True)
class Entry:
    """A page in the menu, for whoever may do the verb."""

    verb: str
    endpoint: str
    label: str


ENTRIES: tuple[Entry, ...] = (
    Entry("ticket:report", "worker.home", "今日"),
    Entry("ticket:report", "worker.report", "上报"),
    Entry("ticket:handle", "department.queue", "待办"),
    Entry("ticket:approve", "department.queue", "待审"),
    Entry("area:look", "community.overview", "辖区"),
    Entry("ticket:dispatch", "dispatcher.stream", "指挥台"),
    Entry("ticket:whistle", "dispatcher.whistles", "吹哨"),
    Entry("ticket:register", "hotline.register", "来电登记"),
    Entry("ticket:call_back", "hotline.callbacks", "回访"),
    Entry("ticket:call_back", "hotline.messages", "短信"),
    Entry("ticket:verify", "worker.verifying", "核查"),
    Entry("inspection:check", "worker.inspecting", "巡查"),
    Entry("inspection:create", "inspecting.publish_page", "发布巡查"),
    Entry("ticket:convene", "dispatcher.overdue", "线上巡查"),
    Entry("letter:read", "letters.listed", "督办文书"),
    Entry("plan:read", "inspecting.register", "计划登记"),
    Entry("ticket:recheck", "rechecking.desk", "抽查"),
    Entry("lead:read", "leads.desk", "码上督"),
    Entry("figures:read", "supervisor.figures", "数字"),
    Entry("chain:verify", "supervisor.proof", "核验"),
    Entry("standing:change", "admin.home", "管理"),
    Entry("standing:change", "rules.listed", "规则"),
    Entry("ticket:rule", "rules.listed", "规则"),
    Entry("ticket:rule", "returns.proposals", "退单建议"),
    Entry("admission:decide", "returns.admission", "准入与下派"),
    Entry("standing:change", "generations.listed", "边界版本"),
    Entry("standing:change", "borders.check", "导入边界"),
    Entry("standing:change", "tables.home", "导入表格"),
    Entry("standing:change", "sheets.choose", "一格一码"),
    Entry("account:change", "admin.people", "账号"),
    Entry("standing:change", "admin.changes", "变更记录"),
    Entry("operations:read", "admin.operations", "运行状况"),
)


def menu_of(actor: Actor | None) -> list[Entry]:
    """The pages this person can open, in order."""
    if actor is None:
        return []
    return [
        entry for entry in ENTRIES if entry.endpoint in current_app.view_functions and actor.may(entry.verb)
    ]


def home_of(actor: Actor) -> str:
    """The address of the first page of the menu."""
    menu = menu_of(actor)
    return url_for(menu[0].endpoint) if menu else url_for("session.no_post")
