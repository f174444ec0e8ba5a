"""The blueprint that the parts of the API hang their routes on."""

from apiflask import APIBlueprint

blueprint = APIBlueprint("api", __name__, url_prefix="/api/v1", tag="tickets")
