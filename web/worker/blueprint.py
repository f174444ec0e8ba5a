"""The blueprints that the worker's pages hang on: their own, and what the phone keeps of the service itself."""

from flask import Blueprint

blueprint = Blueprint("worker", __name__, url_prefix="/worker")
phone = Blueprint("phone", __name__)
