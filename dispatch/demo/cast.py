"""Who acts in the made-up city: everybody under the names that the stories call them by."""

from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from grid import accounts
from grid.models import Account, Post
from grid.permissions import Actor


class Cast:
    """Everybody by login, clerks by their unit, workers also by the community they walk (`@code`)."""

    def __init__(self, session: Session, on: date) -> None:
        self._session, self._on = session, on
        self._accounts = {row.login: row for row in session.execute(select(Account)).scalars()}
        # Of several in one community the first walks it.
        posts = session.execute(
            select(Post).where(col(Post.role) == "grid_worker").order_by(col(Post.id).desc())
        ).scalars()
        by_id = {row.id: row.login for row in self._accounts.values()}
        self._walkers = {f"@{(post.area_code or '')[:12]}": by_id[post.account_id] for post in posts}
        self._known: dict[str, Actor] = {}

    def get(self, who: str) -> Actor | None:
        login = self._walkers.get(who, who)
        if login not in self._known and login in self._accounts:
            self._known[login] = accounts.actor_of(self._session, self._accounts[login], self._on)
        return self._known.get(login)

    def __getitem__(self, who: str) -> Actor:
        found = self.get(who)
        if found is None:
            raise KeyError(who)
        return found


def by_link(ticket_id: UUID) -> Actor:
    """Whoever opens the link of that ticket."""
    return Actor(
        account_id=None,
        person_key=f"reporter:{ticket_id}",
        name="诉求人",
        duty_class=None,
        channel="link",
        linked_ticket=ticket_id,
        linked_verbs=frozenset({"ticket:read", "ticket:call_back"}),
    )
