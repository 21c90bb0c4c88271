"""Open311 GeoReport v2 (`/open311/v2`), with mySociety's service request updates.

The standard's own words rule here: XML and JSON, form-encoded posts, errors as arrays. What may be shown is the
domain's to say (`domain.visibility.in_public`); everything that is handed in goes the one way of `adapters.http`.
"""
