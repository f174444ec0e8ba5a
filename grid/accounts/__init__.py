"""People: who has an account, which posts they hold, how they sign in, and what they may do today.

`people` keeps accounts and posts, `actors` turns them into an `Actor`; `passwords`, `lockout` and `sessions`
are the way in, `links` the single-use way to a first or a forgotten password.
"""

from grid.accounts.actors import actor_of, held_on
from grid.accounts.links import (
    create_first_administrator,
    make_first_administrator_link,
    make_password_link,
    read_link,
    use_password_link,
)
from grid.accounts.people import (
    NewAccount,
    NewPost,
    add_post,
    change_password,
    create_account,
    disable_account,
    enable_account,
    end_post,
)
from grid.accounts.sessions import Visit, end_sessions, sign_in, sign_out, visit_of

__all__ = [
    "NewAccount",
    "NewPost",
    "Visit",
    "actor_of",
    "add_post",
    "change_password",
    "create_account",
    "create_first_administrator",
    "disable_account",
    "enable_account",
    "end_post",
    "end_sessions",
    "held_on",
    "make_first_administrator_link",
    "make_password_link",
    "read_link",
    "sign_in",
    "sign_out",
    "use_password_link",
    "visit_of",
]
