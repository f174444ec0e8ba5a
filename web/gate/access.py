"""Deny by default: a view says which permission opens it, or that it is public; one that says nothing is shut."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, current_app, g, request

from grid.errors import GridError, NotAllowed
from grid.permissions import Actor

View = TypeVar("View", bound=Callable[..., Any])

PUBLIC_ENDPOINTS = frozenset(
    {"static", "openapi.spec"}
)  # not our functions, so they cannot say it themselves


class SignInNeeded(GridError):
    """Nobody is signed in."""


@dataclass(frozen=True, slots=True)
class Access:
    """What opens a view: any one of the verbs, being signed in, or nothing."""

    verbs: tuple[str, ...] = ()
    public: bool = False


def permission_required(*verbs: str) -> Callable[[View], View]:
    """Open the view to whoever may do one of the verbs (`resource:verb`)."""
    return _declare(Access(verbs=verbs))


def signed_in(view: View) -> View:
    """Open the view to everybody who is signed in."""
    return _declare(Access())(view)


def public(view: View) -> View:
    """Open the view to everybody."""
    return _declare(Access(public=True))(view)


def _declare(access: Access) -> Callable[[View], View]:
    def mark(view: View) -> View:
        view.access = access  # type: ignore[attr-defined]
        return view

    return mark


def access_of(app: Flask, endpoint: str) -> Access | None:
    """What the view declared, or None."""
    if endpoint in PUBLIC_ENDPOINTS:
        return Access(public=True)
    found = getattr(app.view_functions.get(endpoint), "access", None)
    return found if isinstance(found, Access) else None


def current_actor() -> Actor:
    """Who acts in this request.

    Raises
    ------
    SignInNeeded
        Nobody is signed in.
    """
    actor: Actor | None = g.get("actor")
    if actor is None:
        raise SignInNeeded("请先登录")
    return actor


def check_access() -> None:
    """Before every request: refuse what the view has not opened."""
    if request.endpoint is None:  # no such page: the answer is 404
        return
    access = access_of(current_app, request.endpoint)
    if access is None:
        raise NotAllowed("本页没有声明权限,已拒绝")
    if access.public:
        return
    actor = current_actor()
    if access.verbs and not any(actor.may(verb) for verb in access.verbs):
        raise NotAllowed("您的岗位没有这项权限;如需办理,请联系系统管理员调整岗位")
