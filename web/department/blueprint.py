"""Where the department's views hang."""

from flask import Blueprint

blueprint = Blueprint("department", __name__, url_prefix="/department")
