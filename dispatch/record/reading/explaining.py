"""Why a ticket went where it went: one sentence in people's words, and on demand everything that was looked at."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from dispatch.record.models import Ticket
from dispatch.record.world import Standing
from dispatch.rules.routing import ASSET_RULE, percent
from dispatch.rules.rulebook import KIND_PREFIX, TimeBand
from grid.models import Account, Generation, OverlayArea, Responsibility

WHEN = {TimeBand.WORKING: "工作时间", TimeBand.NIGHT: "夜间和节假日"}


@dataclass
class Explained:
    """The decision that is kept with a ticket, read for people."""

    session: Session
    ticket: Ticket
    standing: Standing

    @property
    def _routed(self) -> dict[str, Any]:
        return self.ticket.routed or {}

    @property
    def rule(self) -> tuple[int, str] | None:
        """The set of rules and the row by which it was routed, where a row decided."""
        known = self._routed.get("rule") not in (None, ASSET_RULE) and self._routed.get("ruleset")
        return (self._routed["ruleset"], self._routed["rule"]) if known else None

    @cached_property
    def reason(self) -> str | None:
        """What, where and when the deciding row speaks of, and whom it means."""
        row = self.session.get(Responsibility, self.rule) if self.rule else None
        if row is None:
            return self._routed.get("reason")
        category = self.standing.categories.get(row.category_code or "")
        category_name = category.name if category else None
        where = [self._area(row.area_code)] if row.area_code else []
        where += [self._overlay(row.overlay_code)] if row.overlay_code else []
        time_words = WHEN[TimeBand(row.time_band)] if row.time_band else ""
        nearest = "离这里最近的一级" if row.main.startswith(KIND_PREFIX) else ""
        unit = self._unit(self._routed.get("main"))
        joined = "".join(where) or "全市"
        if category_name is None:
            return f"{joined}的各类问题{time_words}由{nearest}“{unit}”承办(规则 {row.id})"
        return f"{joined}的“{category_name}”问题{time_words}由{nearest}“{unit}”承办(规则 {row.id})"

    @property
    def first_hand(self) -> str | None:
        """The officer who is proposed to take it on first."""
        person = self._routed.get("person")
        account = self.session.get(Account, UUID(person)) if person else None
        return account.name if account else None

    @property
    def doubts(self) -> list[str]:
        """What was uncertain, in words."""
        return list(self._routed.get("notes") or [])

    @property
    def likely_other(self) -> str | None:
        """Where the place is in doubt, the unit on the other side of the border: a return to it needs no typing."""
        routed = self._routed
        held = routed.get("doubtful") and routed.get("main") == self.ticket.main_code
        return routed.get("runner_up") if held else None

    @property
    def in_full(self) -> list[tuple[str, str]]:
        """The point as it was used, and every rule that was tried, with why it did not decide."""
        return [*self._point(), *self._tried()]

    def _point(self) -> list[tuple[str, str]]:
        ticket, placed = self.ticket, self.ticket.placed or {}
        accuracy_words = (
            f"精度 {ticket.accuracy_m:.0f} 米" if ticket.accuracy_m is not None else "没有给出精度"
        )
        at = f"{ticket.lon:.6f}, {ticket.lat:.6f}(WGS-84;上报坐标系 {ticket.frame},{accuracy_words})"
        borders = self.session.get(Generation, ticket.generation_id) if ticket.generation_id else None
        found = [("用于落格的点", at), ("边界版本", borders.label if borders else "")]
        candidates = placed.get("candidates") or []
        if len(candidates) > 1:
            shares = " · ".join(f"{self._area(one['code'])} {percent(one['share'])}" for one in candidates)
            found.append(("精度圆内各网格的份额", shares))
        return found

    def _tried(self) -> list[tuple[str, str]]:
        tried, version = self._routed.get("tried", []), self._routed.get("ruleset")
        query = select(Responsibility).where(
            Responsibility.ruleset_version == version,
            col(Responsibility.id).in_([one.get("rule") for one in tried]),
        )
        rows = {row.id: row for row in self.session.exec(query)} if version is not None else {}
        found = []
        for one in tried:
            why_not = one.get("why_not") or "采用"
            if (row := rows.get(one.get("rule"))) is not None:
                why_not = self._in_names(why_not, row)
            found.append(
                (one.get("rule") or "", ":".join(filter(None, (self._unit(one.get("main")), why_not))))
            )
        return [*found, ("规则版本", f"第 {version} 版")] if version is not None else found

    def _in_names(self, sentence: str, row: Responsibility) -> str:
        """The places that the row speaks of by their names: a decision is kept with codes."""
        for code, name in ((row.overlay_code, self._overlay), (row.area_code, self._area)):
            sentence = sentence.replace(code, name(code)) if code else sentence
        return sentence

    def _unit(self, code: str | None) -> str:
        known = self.standing.organisations.get(code or "")
        return known.name if known else code or ""

    def _area(self, code: str) -> str:
        return self.standing.area_name(code) or code

    def _overlay(self, code: str) -> str:
        found = self.session.get(OverlayArea, (self.ticket.generation_id, code))
        return f"“{found.name}”" if found else code
