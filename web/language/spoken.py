"""Which language a request is answered in: asked for in the address, chosen in this browser, chosen for the account."""

from flask import g, has_request_context, request

from grid.settings import Settings
from web.service.context import settings

COOKIE = "language"
LOCALES = {"zh": "zh_Hans_CN", "en": "en"}
TAGS = {"zh": "zh-CN", "en": "en"}
NAMES = {"zh": "中文", "en": "English"}


def language() -> str:
    """The language of this request; outside of one, the words are as they were written."""
    if not has_request_context():
        return "zh"
    if "language" not in g:
        g.language = _chosen(settings())
    return str(g.language)


def _chosen(its: Settings) -> str:
    account = g.get("account")
    asked = (
        request.args.get("lang"),
        request.cookies.get(COOKIE),
        account.language if account is not None else None,
        request.accept_languages.best_match(list(LOCALES)) if its.browser_language else None,
    )
    return next((one for one in asked if one in LOCALES), its.language)
