"""Where the views that every desk has hang."""

from flask import Blueprint

blueprint = Blueprint("desk", __name__, url_prefix="/desk")
