"""Which language a request is answered in: asked for in the address, chosen in this browser, chosen for the account."""

from urllib.parse import parse_qsl, urlencode

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


def asked() -> str | None:
    """The language that this address asks for.

    It is no part of what the page is asked: from here on neither its forms nor the addresses made of it know the word.
    """
    if "asked_language" not in g:
        g.asked_language = request.args.get("lang")
        if g.asked_language is not None:
            pairs = parse_qsl(
                request.query_string.decode("latin-1"), keep_blank_values=True, encoding="utf-8"
            )
            request.query_string = urlencode([pair for pair in pairs if pair[0] != "lang"]).encode()
            del request.args  # read anew from what is left
    found = g.asked_language
    return found if found in LOCALES else None


def _chosen(its: Settings) -> str:
    account = g.get("account")
    wishes = (
        asked(),
        request.cookies.get(COOKIE),
        account.language if account is not None else None,
        request.accept_languages.best_match(list(LOCALES)) if its.browser_language else None,
    )
    return next((one for one in wishes if one in LOCALES), its.language)
