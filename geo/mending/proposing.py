"""Repairs proposed one by one, and carried out for those that are chosen. The files are never touched."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.borders import LEVELS
from geo.errors import GeoError
from geo.index.shapes import is_clean
from geo.mending.covering import RULES, clean_coverage, longest_neighbour, made_valid, on_lattice, rounded
from geo.mending.outlines import draw_outlines, outline_proposals
from geo.mending.pieces import Piece, pieces_between
from geo.mending.proposals import Effect, Proposal, moved
from geo.reading import BorderFeature
from geo.review.findings import level_label
from geo.review.partition import partitions
from geo.review.surfaces import Sheet, beside_of, is_sliver
from geo.zones import square_metres

Progress = Callable[[str], None]


def propose(
    features: Sequence[BorderFeature],
    *,
    rule: str = "longest_border",
    gap_width_m: float = 30.0,
    snap_m: float = 0.1,
    progress: Progress = lambda step: None,
) -> list[Proposal]:
    """Repairs in the order they build on one another: rings; slivers, overlaps and gaps; alignment; outlines.

    All of them together make a clean partition at every level; any of them may be left out.
    """
    if rule not in RULES:
        raise GeoError(f"不认识规则“{rule}”,请用 {'、'.join(RULES)} 之一。")
    progress("修复破损的环")
    rings = _ring_proposals(features)
    proposals, mended = list(rings), list(features)
    for ring in rings:
        mended = _with(mended, ring.target)
    needs = {at: ring.id for ring in rings for at in ring.target}
    working = mended
    for number, members in enumerate(partitions(mended)):
        progress(f"清理{_levels_of(mended, members)}的重叠与缝隙")
        found = _Partition(mended, members, number, needs).proposals(rule, gap_width_m, snap_m)
        proposals += found
        for align in found[-1:]:
            working = _with(working, align.target)
    progress("核对上级轮廓")
    proposals += outline_proposals(working)
    return _numbered(proposals)


def apply(
    features: Sequence[BorderFeature], proposals: Sequence[Proposal], chosen: Collection[str]
) -> list[BorderFeature]:
    """The features after the chosen repairs; unknown ids are refused, and those that lack what they need."""
    known = {p.id: p for p in proposals}
    unknown = set(chosen) - set(known)
    if unknown:
        raise GeoError(f"没有编号为 {'、'.join(sorted(unknown))} 的修复建议,请重新生成建议。")
    for name in chosen:
        for needed in known[name].needs:
            if needed not in chosen:
                raise GeoError(f"修复建议 {name} 要以 {needed} 为前提,请一并选择。")
    working = list(features)
    for proposal in proposals:
        if proposal.kind == "make_valid" and proposal.id in chosen:
            working = _with(working, proposal.target)
    for number in sorted({p.partition for p in proposals if p.partition >= 0}):
        working = _partition_applied(working, [p for p in proposals if p.partition == number], chosen)
    outlines = [(at, p.id in chosen) for p in proposals if p.kind == "outline" for at in p.target]
    wanted, declined = ({at for at, taken in outlines if taken == which} for which in (True, False))
    return draw_outlines(working, wanted, declined=declined)


def levels_are_clean(features: Sequence[BorderFeature]) -> dict[str, bool]:
    """For every level whether it is a clean partition."""
    found = {}
    for level in LEVELS:
        drawn = [f.geometry for f in features if f.level == level and not f.kind]
        if drawn:
            found[str(level)] = is_clean(np.array(drawn, dtype=object))
    return found


def _partition_applied(
    features: Sequence[BorderFeature], proposals: Sequence[Proposal], chosen: Collection[str]
) -> list[BorderFeature]:
    """With the lines aligned, what was not chosen is put back; without, what was chosen is carried out."""
    align = next((p for p in proposals if p.kind == "align" and p.id in chosen), None)
    working = list(features) if align is None else _with(features, align.target)
    pieces = [p for p in proposals if p.moves and (p.id in chosen) == (align is None)]
    moves: dict[int, list[Any]] = {}
    for move in (m for p in pieces for m in p.moves):
        moves.setdefault(move.at, []).append(move)
    for at, some in moves.items():
        shape = moved(working[at].geometry, some, back=align is not None)
        if shape.is_empty:
            raise GeoError(f"所选的修复会让{_who(features[at])}一点不剩,请少选几项。")
        working[at] = replace(working[at], geometry=rounded(shape))
    return working


def _with(features: Sequence[BorderFeature], target: Any) -> list[BorderFeature]:
    return [replace(f, geometry=target[i]) if i in target else f for i, f in enumerate(features)]


def _who(feature: BorderFeature) -> str:
    return f"{feature.name or '无名'}({_code(feature)})"


def _code(feature: BorderFeature) -> str:
    return feature.code or f"#{feature.number}"


def _levels_of(features: Sequence[BorderFeature], members: Sequence[int]) -> str:
    return "、".join(
        level_label(level) for level in LEVELS if any(features[i].level == level for i in members)
    )


def _numbered(proposals: Sequence[Proposal]) -> list[Proposal]:
    """Ids that occur more than once get a number."""
    seen: Counter[str] = Counter()
    numbered = []
    for proposal in proposals:
        seen[proposal.id] += 1
        again = seen[proposal.id]
        numbered.append(proposal if again == 1 else replace(proposal, id=f"{proposal.id}~{again}"))
    return numbered


def _ring_proposals(features: Sequence[BorderFeature]) -> list[Proposal]:
    """One for every broken polygon: cut where it crosses itself."""
    found = []
    drawn = np.array([f.geometry for f in features], dtype=object)
    for i in np.flatnonzero(~shapely.is_valid(drawn)).tolist() if len(drawn) else []:
        feature = features[i]
        shape = on_lattice(made_valid(drawn[i : i + 1])[0])
        if shape.is_empty:
            continue
        message = f"修复{_who(feature)}自相交或破损的环,面积变为 {square_metres(shape):,.1f} 平方米。"
        old = shapely.make_valid(feature.geometry)
        gained, lost = (square_metres(s) for s in (shape.difference(old), old.difference(shape)))
        effect = Effect(_code(feature), gained, lost)
        found.append(
            Proposal(
                f"make_valid:{_code(feature)}", "make_valid", str(feature.level or ""), message, (effect,),
                target={i: shape}, near=(i,), place=shape.representative_point(),
            )
        )  # fmt: skip
    return found


class _Partition:
    """One set of areas that has to tile, and the repairs that make it do so."""

    def __init__(
        self,
        features: Sequence[BorderFeature],
        members: Sequence[int],
        number: int,
        needs: dict[int, str],
    ) -> None:
        self.features, self.members, self.number, self.needs = features, members, number, needs
        self.drawn = np.array([features[i].geometry for i in members], dtype=object)

    def proposals(self, rule: str, gap_width_m: float, snap_m: float) -> list[Proposal]:
        """Pieces from the biggest to the smallest, the alignment last; none if nothing is to be done."""
        codes = [_code(self.features[i]) for i in self.members]
        names = [self.features[i].name or "无名" for i in self.members]
        sheet = Sheet.of(str(self.features[self.members[0]].level), codes, names, self.drawn)
        plane = _without_slivers(sheet)
        after = clean_coverage(plane, sheet.epsg, rule=rule, gap_width_m=gap_width_m, snap_m=snap_m)
        before = made_valid(self.drawn)
        pieces = pieces_between(before, after, epsg=sheet.epsg, least_width_m=snap_m)
        if sheet.clean and not pieces:
            return []
        tree = shapely.STRtree(before)
        found = [self._piece(piece, sheet, tree, rule) for piece in pieces]
        return [*found, self._align(before, after, pieces, sheet, snap_m)]

    def _piece(self, piece: Piece, sheet: Sheet, tree: shapely.STRtree, rule: str) -> Proposal:
        at = self.members[piece.heir]
        given = () if piece.giver is None else (self.members[piece.giver],)
        heir = sheet.who(piece.heir)
        size = f"{piece.area_m2:,.1f} 平方米,平均宽 {piece.width_m:.1f} 米"
        if piece.kind == "gap":
            name, message = sheet.codes[piece.heir], f"缝隙 {size},并入{heir}。"
        elif piece.giver is not None:
            name = f"{sheet.codes[piece.giver]}-{sheet.codes[piece.heir]}"
            giver = sheet.who(piece.giver)
            message = f"{giver}的碎片 {size},并入{heir}。"
            if piece.kind == "overlap":
                message = f"{giver}与{heir}的重叠 {size},{RULES[rule]},即后者。"
        effects = [Effect(sheet.codes[piece.giver], 0.0, piece.area_m2)] if piece.giver is not None else []
        if piece.kind != "overlap":
            effects.append(Effect(sheet.codes[piece.heir], piece.area_m2, 0.0))
        moves = tuple(replace(m, at=self.members[m.at]) for m in piece.moves())
        near = beside_of(tree, piece.ground, distance=1e-6)
        return Proposal(
            f"{piece.kind}:{name}", piece.kind, str(self.features[at].level), message, tuple(effects),
            tuple(sorted({self.needs[i] for i in (at, *given) if i in self.needs})), self.number, moves,
            near=tuple(self.members[i] for i in near[:8]), place=piece.ground.representative_point(),
        )  # fmt: skip

    def _align(
        self, before: NDArray[Any], after: NDArray[Any], pieces: Sequence[Piece], sheet: Sheet, snap_m: float
    ) -> Proposal:
        """What is left once every piece is done: edges that do not meet to the last bit."""
        changed = np.flatnonzero(~shapely.equals_exact(before, after, 0.0, normalize=True))
        gained = square_metres(shapely.difference(after[changed], before[changed]))
        lost = square_metres(shapely.difference(before[changed], after[changed]))
        row = {place: k for k, place in enumerate(changed.tolist())}
        for piece in pieces:
            if piece.giver is not None:
                lost[row[piece.giver]] -= piece.area_m2
            if piece.kind != "overlap":
                gained[row[piece.heir]] -= piece.area_m2
        effects = tuple(
            Effect(sheet.codes[i], max(float(g), 0.0), max(float(m), 0.0))
            for i, g, m in zip(changed.tolist(), gained, lost, strict=True)
        )
        label = _levels_of(self.features, self.members)
        message = f"{label}:对齐 {snap_m:g} 米以内的顶点,使相邻边线逐点相接(只动所列零头)。"
        most = int(changed[np.argmax(gained + lost)]) if len(changed) else 0
        target = {self.members[i]: after[i] for i in changed.tolist()}
        return Proposal(
            f"align:{sheet.level}", "align", sheet.level, message, effects,
            tuple(sorted({self.needs[i] for i in target if i in self.needs})), self.number,
            target=target, near=(self.members[most],),
            place=after[most].representative_point(),
        )  # fmt: skip


def _without_slivers(sheet: Sheet) -> NDArray[Any]:
    """The sheet's shapes with sliver parts given to the neighbour they share most border with."""
    plane = sheet.plane.copy()
    several = np.flatnonzero(shapely.get_num_geometries(plane) > 1).tolist()
    tree = shapely.STRtree(sheet.plane if several else [])
    for i in several:
        parts = sorted(shapely.get_parts(sheet.plane[i]), key=lambda p: -p.area)
        kept = [parts[0]]
        for part in parts[1:]:
            heir = longest_neighbour(tree, sheet.plane, part, i) if is_sliver(part) else None
            if heir is None:
                kept.append(part)
            else:
                plane[heir] = shapely.union(plane[heir], part)
        if len(kept) < len(parts):
            # what it got from others meanwhile stays with it
            got = shapely.difference(plane[i], sheet.plane[i])
            plane[i] = shapely.union_all([*kept, got])
    return plane
