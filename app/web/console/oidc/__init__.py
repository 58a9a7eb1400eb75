"""Log-ins through an OpenID provider (OpenID Connect Core 1.0, the authorization code flow with
PKCE, RFC 7636); an option beside local users. Signatures are joserfc's business.

    config     what is said of the provider
    provider   what is asked of it: discovery, keys, the token; remembered for a while
    id_token   whether a token is of it, for us, now, and for this log-in
    person     whom the token's claims make here: name and role
"""
