"""Adobe's control plane, seen from here: IMS tokens, and Platform's own API. Nothing inbound.

ims, token_keeper, own_token   access tokens: for workers, for one command
platform_client                one call to platform.adobe.io: headers, errors, retries, pace
answers                        bodies of answers, within bounds
complaints, remedies           what a refusal means, and what to do about it
reading                        values out of documents, whatever is in their place
flow_service/, schema_registry/, namespaces, catalog, data_prep, data_access, observability
                               one per service of Adobe's
"""
