"""Where the views of the operator's screen hang."""

from flask import Blueprint

blueprint = Blueprint("switchboard", __name__, url_prefix="/hotline")
REGISTER = "ticket:register"
