"""The check report as HTML: a fragment for a page of ours, or one file on its own.

Fragments hold no style and no script, so they stand under any content policy.
"""

from html import escape

from geo.review.findings import KINDS, CheckReport, Finding, level_label
from geo.review.picture import closeup, map_picture

_LISTED = 40
_PICTURED = 3
_STYLE = """
body{font:15px/1.6 "Noto Sans CJK SC","WenQuanYi Micro Hei",sans-serif;max-width:960px;margin:2rem auto;
padding:0 1rem;color:#1c1917}table{border-collapse:collapse;margin:1rem 0}td,th{border:1px solid #d6d3d1;
padding:.3rem .6rem;text-align:left}svg{max-width:100%;height:auto;border:1px solid #d6d3d1}
.pictures{display:flex;gap:.5rem;flex-wrap:wrap}.pictures svg{width:auto;max-height:16rem}figure{margin:0}
.is-error{color:#c0262d}.is-warning{color:#b45309}.is-note{color:#1d4ed8}code{font-size:.85em}
"""
_SEVERITY = {"error": "必须解决", "warning": "建议解决", "note": "提示"}


def report_fragment(report: CheckReport) -> str:
    """The report without a page around it."""
    return "".join(
        (
            _verdict(report),
            _files(report),
            _levels(report),
            '<figure class="whole">',
            map_picture(report.shapes, report.findings),
            "<figcaption>红:必须解决;橙:建议解决;蓝:提示。</figcaption></figure>",
            _counts(report),
            *(_kind(report, kind) for kind in report.counts()),
        )
    )


def whole_page(title: str, *fragments: str) -> str:
    """One file that can be sent by mail and opened anywhere."""
    return (
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>{''.join(fragments)}</html>\n"
    )


def _verdict(report: CheckReport) -> str:
    if report.clean:
        return '<p class="verdict">没有发现需要处理的问题。</p>'
    counted = {s: sum(f.severity == s for f in report.findings) for s in _SEVERITY}
    said = "、".join(f'<b class="is-{s}">{_SEVERITY[s]} {n} 项</b>' for s, n in counted.items() if n)
    tail = "" if report.usable else "存在必须解决的问题,解决前不能启用。"
    return f'<p class="verdict">共发现:{said}。{tail}</p>'


def _files(report: CheckReport) -> str:
    rows = "".join(
        f"<tr><td>{escape(f.name)}</td><td>{f.features}</td><td>{escape(f.frame)}</td><td>"
        + "、".join(
            f"{meaning}={escape(str(column))}{'(猜)' if meaning in f.guessed else ''}"
            for meaning, column in f.columns.items()
            if column
        )
        + f"</td><td><code>{f.sha256[:16]}</code></td></tr>"
        for f in report.files
    )
    head = "<tr><th>文件</th><th>要素</th><th>坐标系</th><th>列</th><th>校验和(前 16 位)</th></tr>"
    return f"<h2>文件</h2><table>{head}{rows}</table>"


def _levels(report: CheckReport) -> str:
    rows = "".join(
        f"<tr><td>{level_label(level)}</td><td>{int(n['count'])}</td><td>{n['area_m2'] / 1e6:,.3f}</td></tr>"
        for level, n in report.levels.items()
    )
    return f"<h2>层级</h2><table><tr><th>层级</th><th>个数</th><th>面积(km²)</th></tr>{rows}</table>"


def _counts(report: CheckReport) -> str:
    rows = "".join(
        f'<tr><td>{KINDS[kind][0]}</td><td class="is-{KINDS[kind][1]}">{_SEVERITY[KINDS[kind][1]]}</td><td>{n}</td></tr>'
        for kind, n in report.counts().items()
    )
    return f"<h2>问题</h2><table><tr><th>种类</th><th>程度</th><th>项数</th></tr>{rows}</table>"


def _kind(report: CheckReport, kind: str) -> str:
    found = [f for f in report.findings if f.kind == kind]
    pictures = "".join(
        f"<figure>{closeup(f, report.shapes.get(f.level or '', {}))}</figure>"
        for f in found[:_PICTURED]
        if f.geometry is not None and not f.geometry.is_empty
    )
    items = "".join(f"<li>{_sentence(f)}</li>" for f in found[:_LISTED])
    rest = f"<p>另有 {len(found) - _LISTED} 项,见 JSON。</p>" if len(found) > _LISTED else ""
    label, severity = KINDS[kind]
    return (
        f'<h3 class="is-{severity}">{label}({len(found)})</h3>'
        + (f'<div class="pictures">{pictures}</div>' if pictures else "")
        + f"<ol>{items}</ol>{rest}"
    )


def _sentence(finding: Finding) -> str:
    place = "" if finding.lon is None else f" <code>{finding.lon}, {finding.lat}</code>"
    return escape(finding.message) + place
