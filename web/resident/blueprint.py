"""The blueprint that the resident's pages hang on."""

from flask import Blueprint

blueprint = Blueprint("resident", __name__)
