"""Adobe's control plane, seen from here: IMS tokens, and Platform's own API. Nothing inbound.

ims, token_keeper   access tokens
platform_client     one call to platform.adobe.io: headers, errors, retries, pace
complaints          what a refusal means, and what to do about it
reading             values out of documents, whatever is in their place
flow_service, catalog, data_access, observability   one file per service of Adobe's
"""
