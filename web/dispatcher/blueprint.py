"""Where the command centre's views hang."""

from flask import Blueprint

blueprint = Blueprint("dispatcher", __name__, url_prefix="/dispatch")
