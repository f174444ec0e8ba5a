"""The blueprint that the worker's pages hang on."""

from flask import Blueprint

blueprint = Blueprint("worker", __name__, url_prefix="/worker")
