"""Repair proposals as HTML: each with its effect, a picture before and after, and (on a page) a box to choose it."""

from collections.abc import Collection, Sequence
from html import escape
from typing import Any

import shapely

from geo.mending.proposals import KINDS, Proposal, moved
from geo.reading import BorderFeature
from geo.review.picture import before_after

PICTURED = 200
LEAST_SEEN_M2 = 0.05  # an outline that moves less looks the same before and after
_LISTED = 8


def proposals_fragment(
    features: Sequence[BorderFeature],
    proposals: Sequence[Proposal],
    *,
    ticked: Collection[str] | None = None,
) -> str:
    """The proposals by kind, the biggest first.

    With `ticked` (ids, and kinds as `kind:…`) each gets a box named `choose`, for a form around the fragment.
    """
    if not proposals:
        return "<h2>修复建议</h2><p>没有需要修复的。</p>"
    parts = [f"<h2>修复建议({len(proposals)})</h2><p>逐条选择后才会执行,原文件不改动。</p>"]
    left = PICTURED
    for kind, label in KINDS.items():
        some = sorted((p for p in proposals if p.kind == kind), key=lambda p: -p.moved_m2)
        if some:
            total_m2 = sum(p.moved_m2 for p in some)
            parts.append(f"<h3>{label}({len(some)})</h3><p>增减共 {total_m2:,.1f} 平方米。</p>")
            if ticked is not None:
                parts.append(f"<p>{_box(f'kind:{kind}', '这一类全部', ticked)}</p>")
        for proposal in some:
            parts.append(_proposal(features, proposal, pictured=left > 0, ticked=ticked))
            left -= 1
    if left < 0:
        parts.append(f"<p>图只画前 {PICTURED} 条;其余的见各条所列的位置与面积。</p>")
    return "".join(parts)


def _proposal(
    features: Sequence[BorderFeature],
    proposal: Proposal,
    *,
    pictured: bool,
    ticked: Collection[str] | None,
) -> str:
    name = f"<code>{escape(proposal.id)}</code>"
    if ticked is not None:
        name = _box(proposal.id, name, ticked)
    place = "" if proposal.place is None else f" <code>{proposal.place.x:.6f}, {proposal.place.y:.6f}</code>"
    needs = f"须同时选 {escape('、'.join(proposal.needs))}。" if proposal.needs else ""
    most = sorted(proposal.effects, key=lambda e: -(e.gained_m2 + e.lost_m2))
    rows = "".join(
        f"<tr><td>{escape(e.code)}</td><td>{e.gained_m2:,.1f}</td><td>{e.lost_m2:,.1f}</td></tr>"
        for e in most[:_LISTED]
    )
    rest = f"<p>另有 {len(most) - _LISTED} 个区域。</p>" if len(most) > _LISTED else ""
    table = f"<table><tr><th>编码</th><th>增(m²)</th><th>减(m²)</th></tr>{rows}</table>{rest}"
    changes = proposal.kind != "outline" or proposal.moved_m2 >= LEAST_SEEN_M2
    return (
        f'<div class="repair"><div><h4>{name}</h4><p>{escape(proposal.message)}{needs}{place}</p>'
        + (table if changes else "<p>面积没有增减。</p>")
        + "</div>"
        + (_pictures(features, proposal) if pictured and changes else "")
        + "</div>"
    )


def _box(value: str, label: str, ticked: Collection[str]) -> str:
    checked = " checked" if value in ticked else ""
    return f'<label><input type="checkbox" name="choose" value="{escape(value)}"{checked}> {label}</label>'


def _pictures(features: Sequence[BorderFeature], proposal: Proposal) -> str:
    """The features beside the changed ground as they are, and with this one repair."""
    before = {_name(features, i): features[i].geometry for i in proposal.near}
    after = dict(before)
    ground = proposal.place
    if proposal.moves:
        ground = proposal.moves[0].ground
        for at in {m.at for m in proposal.moves} & set(proposal.near):
            valid = shapely.make_valid(features[at].geometry)
            after[_name(features, at)] = moved(valid, [m for m in proposal.moves if m.at == at])
    elif proposal.target:
        for at in set(proposal.target) & set(proposal.near):
            after[_name(features, at)] = proposal.target[at]
    if proposal.kind == "outline":
        before, after = (
            {k: v for k, v in some.items() if k == next(iter(before))} for some in (before, after)
        )
    if proposal.kind in ("make_valid", "outline"):
        ground = _most_changed(next(iter(before.values())), next(iter(after.values())))
    old, new = before_after(before, after, ground)
    return (
        f'<div class="pictures"><figure>{old}<figcaption>修复前</figcaption></figure>'
        f"<figure>{new}<figcaption>修复后</figcaption></figure></div>"
    )


def _most_changed(old: Any, new: Any) -> Any:
    changed = shapely.symmetric_difference(shapely.make_valid(old), new)
    pieces = [p for p in shapely.get_parts(changed) if p.area > 0]
    return max(pieces, key=lambda p: float(p.area), default=new)


def _name(features: Sequence[BorderFeature], at: int) -> str:
    feature = features[at]
    return f"{feature.name or '无名'} {feature.code or f'#{feature.number}'}"
